//! Chromium without a screen, driven through W3C WebDriver, for pages that a service serves.

use crate::driver::{PATIENCE, connect, free_port, pictures};
use crate::program;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use thirtyfour::prelude::*;
use thirtyfour::{Capabilities, WebElement};

/// How the browser is set up: its width, and what the person prefers.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    name: &'static str,
    narrow: bool,
    dark: bool,
}

impl Look {
    /// A wide screen by day.
    pub const WIDE: Self = Self { name: "wide-light", narrow: false, dark: false };
    /// Wide and narrow, light and dark.
    pub const ALL: [Self; 4] = [
        Self::WIDE,
        Self { name: "wide-dark", narrow: false, dark: true },
        Self { name: "narrow-light", narrow: true, dark: false },
        Self { name: "narrow-dark", narrow: true, dark: true },
    ];
}

/// An open browser.
pub struct Browser {
    page: WebDriver,
    look: Look,
    pictures: PathBuf,
    _driver: Driver,
}

impl Browser {
    /// Opens a browser, or none where there is no Chromium. `CHROMIUM_NEEDED` makes that an error.
    pub async fn open(look: Look) -> WebDriverResult<Option<Self>> {
        let port = free_port().map_err(WebDriverError::from)?;
        let driver = Command::new(program("CHROMIUM_DRIVER", "chromedriver"))
            .arg(format!("--port={port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let driver = match driver {
            Ok(driver) => Driver(driver),
            Err(_) if std::env::var_os("CHROMIUM_NEEDED").is_none() => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let scheme = if look.dark { 0 } else { 1 };
        let mut chromium = json!({ "args": [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1100,1400",
            format!("--blink-settings=preferredColorScheme={scheme}"),
        ]});
        if look.narrow {
            chromium["mobileEmulation"] = json!({ "deviceMetrics": { "width": 380, "height": 1400, "pixelRatio": 1 } });
        }
        let mut capabilities = Capabilities::new();
        capabilities.set("goog:chromeOptions", chromium)?;
        let page = connect(port, &capabilities).await?;
        let pictures = pictures().map_err(WebDriverError::from)?;
        Ok(Some(Self { page, look, pictures, _driver: driver }))
    }

    /// Closes the browser.
    pub async fn close(self) -> WebDriverResult<()> {
        self.page.clone().quit().await
    }

    /// Opens a page.
    pub async fn goto(&self, address: &str) -> WebDriverResult<()> {
        self.page.goto(address).await
    }

    /// The title of the page.
    pub async fn title(&self) -> WebDriverResult<String> {
        self.page.title().await
    }

    /// Takes a picture under a name and the look.
    pub async fn picture(&self, name: &str) -> WebDriverResult<()> {
        tokio::time::sleep(Duration::from_millis(200)).await;
        self.page.screenshot(&self.pictures.join(format!("{name}-{}.png", self.look.name))).await
    }

    /// Runs a script in the page.
    pub async fn run(&self, script: &str, arguments: Vec<Value>) -> WebDriverResult<Value> {
        Ok(self.page.execute(script, arguments).await?.json().clone())
    }

    /// Types into the field with this id; into one for files, the path of a file.
    pub async fn fill(&self, id: &str, text: &str) -> WebDriverResult<()> {
        self.field(id).await?.send_keys(text).await
    }

    /// Puts a text in place of what stands in the field.
    pub async fn paste(&self, id: &str, text: &str) -> WebDriverResult<()> {
        self.run("document.getElementById(arguments[0]).value = arguments[1]", vec![json!(id), json!(text)])
            .await
            .map(drop)
    }

    /// Presses the button with this id by keyboard, and forgets what was on the page before.
    pub async fn press_enter(&self, id: &str) -> WebDriverResult<()> {
        self.run("document.getElementById('result').replaceChildren()", vec![]).await?;
        self.field(id).await?.send_keys(Key::Enter + "").await
    }

    /// Waits for the heading of the result, and reads all of the result.
    pub async fn result(&self, heading: &str) -> WebDriverResult<String> {
        let begun = Instant::now();
        let script = "const h = document.querySelector('#result h2'); \
             return h && h.innerText === arguments[0] ? document.getElementById('result').innerText : null";
        loop {
            match self.run(script, vec![json!(heading)]).await? {
                Value::String(text) => return Ok(text),
                _ if begun.elapsed() > PATIENCE => {
                    self.picture("not-found").await?;
                    return Err(WebDriverError::from(std::io::Error::other(format!("no result: {heading}"))));
                }
                _ => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    async fn field(&self, id: &str) -> WebDriverResult<WebElement> {
        self.page.find(By::Id(id)).await
    }
}

/// The driver's process, which ends after the browser that it drives, also where a test broke off.
struct Driver(Child);

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
