//! The app's real window, driven through W3C WebDriver. Elements are found by what a person or a screen reader
//! finds them by: role and name.

use crate::driver::{PATIENCE, connect, free_port, pictures};
use crate::program;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use thirtyfour::prelude::*;
use thirtyfour::{Capabilities, WebElement};

/// An open window.
pub struct Window {
    page: WebDriver,
    driver: Child,
    pictures: PathBuf,
    taken: std::cell::Cell<u32>,
}

impl Window {
    /// Opens the app with these arguments. What it writes goes to `log`. Somebody who wants to see the pictures in the
    /// dark or narrow sets `WINDOW_ENVIRONMENT` (as in `GTK_THEME=Adwaita:dark`) and `WINDOW_SIZE` (as in `720x560`).
    pub async fn open(arguments: &[&str], log: &Path) -> WebDriverResult<Self> {
        let window = Self::open_in(arguments, log, &std::env::var("WINDOW_ENVIRONMENT").unwrap_or_default()).await?;
        if let Some((width, height)) =
            std::env::var("WINDOW_SIZE").ok().as_deref().and_then(|size| size.split_once('x'))
        {
            let pixels = |text: &str| text.parse().unwrap_or(860);
            window.page.set_window_rect(0, 0, pixels(width), pixels(height)).await?;
        }
        Ok(window)
    }

    /// Like `open`, with variables of the environment for the app alone, as in `A=1 B=2`.
    pub async fn open_in(arguments: &[&str], log: &Path, environment: &str) -> WebDriverResult<Self> {
        let io = |error: io::Error| WebDriverError::from(error);
        let (port, native) = (free_port().map_err(io)?, free_port().map_err(io)?);
        let application = wrap(log, environment).map_err(io)?;
        let driver = Command::new(program("TAURI_DRIVER", "tauri-driver"))
            .args(["--port", &port.to_string(), "--native-port", &native.to_string(), "--native-driver"])
            .arg(program("WEBKIT_DRIVER", "/usr/bin/WebKitWebDriver"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(io)?;
        let mut capabilities = Capabilities::new();
        let options = serde_json::json!({ "application": application, "args": arguments });
        capabilities.set("tauri:options", options)?;
        let page = connect(port, &capabilities).await?;
        let pictures = pictures().map_err(io)?;
        Ok(Self { page, driver, pictures, taken: 0.into() })
    }

    /// The page, for other ways of driving it.
    pub(crate) fn page(&self) -> &WebDriver {
        &self.page
    }

    /// Closes the window.
    pub async fn close(mut self) -> WebDriverResult<()> {
        let closed = self.page.clone().quit().await;
        let _ = self.driver.kill();
        let _ = self.driver.wait();
        closed
    }

    /// Takes a picture under a name; a number in front keeps the order.
    pub async fn picture(&self, name: &str) -> WebDriverResult<()> {
        // Fonts and motion come to rest.
        tokio::time::sleep(Duration::from_millis(300)).await;
        self.taken.set(self.taken.get() + 1);
        self.page.screenshot(&self.pictures.join(format!("{:02}-{name}.png", self.taken.get()))).await
    }

    /// Presses the button of this name.
    pub async fn press(&self, name: &str) -> WebDriverResult<()> {
        self.click(&button(name)).await
    }

    /// Presses the button of this name in the smallest part of the page that has it beside this text.
    pub async fn press_in(&self, group: &str, name: &str) -> WebDriverResult<()> {
        let part =
            format!("*[self::article or self::li or self::section][contains(., {})][.{}]", quoted(group), button(name));
        self.click(&format!("//{part}[not(descendant::{part})]{}", button(name))).await
    }

    /// Presses the button of this name that sends the form.
    pub async fn send(&self, name: &str) -> WebDriverResult<()> {
        self.click(&format!("//form//button[@type='submit'][normalize-space(.)={}]", quoted(name))).await
    }

    /// Ticks or unticks the box with this label, by a press on the words.
    pub async fn tick(&self, label: &str) -> WebDriverResult<()> {
        self.click(&format!("//label[normalize-space(.)={}]", quoted(label))).await
    }

    /// Whether the box with this label is ticked.
    pub async fn is_ticked(&self, label: &str) -> WebDriverResult<bool> {
        self.field(label).await?.is_selected().await
    }

    /// The field with this label.
    pub async fn field(&self, label: &str) -> WebDriverResult<WebElement> {
        self.find(&format!("//*[@id=//label[normalize-space(.)={}]/@for]", quoted(label))).await
    }

    /// Types into the field with this label, in place of what is there.
    pub async fn type_into(&self, label: &str, text: &str) -> WebDriverResult<()> {
        let field = self.field(label).await?;
        field.clear().await?;
        field.send_keys(text).await
    }

    /// What stands in the field with this label.
    pub async fn value_of(&self, label: &str) -> WebDriverResult<String> {
        Ok(self.field(label).await?.prop("value").await?.unwrap_or_default())
    }

    /// Waits for the page whose heading contains this.
    pub async fn heading(&self, text: &str) -> WebDriverResult<()> {
        self.find(&format!("//h1[contains(normalize-space(.), {})]", quoted(text))).await.map(drop)
    }

    /// Waits until this text is on the page.
    pub async fn text(&self, text: &str) -> WebDriverResult<()> {
        self.find(&format!("//body//*[contains(normalize-space(.), {})][not(self::script)]", quoted(text)))
            .await
            .map(drop)
    }

    /// The whole text of the page.
    pub async fn read(&self) -> WebDriverResult<String> {
        self.page.find(By::Css("body")).await?.text().await
    }

    /// The first element at a path, once it is there.
    pub async fn find(&self, path: &str) -> WebDriverResult<WebElement> {
        let begun = Instant::now();
        loop {
            match self.page.find(By::XPath(path)).await {
                Ok(found) => return Ok(found),
                Err(error) if begun.elapsed() > PATIENCE => {
                    self.picture("not-found").await?;
                    return Err(error);
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    }

    /// Runs a script in the page.
    pub async fn run(&self, script: &str, arguments: Vec<serde_json::Value>) -> WebDriverResult<serde_json::Value> {
        Ok(self.page.execute(script, arguments).await?.json().clone())
    }

    async fn click(&self, path: &str) -> WebDriverResult<()> {
        let begun = Instant::now();
        loop {
            // The page may be drawn anew between finding and clicking; then it is found again.
            let clicked = match self.find(path).await {
                Ok(found) => {
                    let _ = found.scroll_into_view().await;
                    found.click().await
                }
                Err(error) => return Err(error),
            };
            match clicked {
                Ok(()) => return Ok(()),
                Err(error) if begun.elapsed() > PATIENCE => {
                    self.picture(&format!("not-clickable {path}").replace(['/', '\'', '"'], "_")).await?;
                    return Err(error);
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    }
}

/// A script that runs the app and keeps what it says, in full: the driver would throw it away.
fn wrap(log: &Path, environment: &str) -> io::Result<PathBuf> {
    let script = log.with_extension("sh");
    let app = program("CONSENT_WALLET", "consent-wallet");
    let text =
        format!("#!/bin/sh\n{environment} RUST_LOG=trace exec '{}' \"$@\" 2>>'{}'\n", app.display(), log.display());
    std::fs::write(&script, text)?;
    std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    Ok(script)
}

/// A button that is not busy, by its words; a number of things that wait may stand beside them.
fn button(name: &str) -> String {
    let name = quoted(name);
    format!(
        "//button[not(@aria-busy='true')][normalize-space(.)={name} or strong[normalize-space(.)={name}] \
         or span[normalize-space(.)={name}]]"
    )
}

/// A string literal of XPath 1.0, which knows no escapes.
fn quoted(text: &str) -> String {
    if text.contains('\'') { format!("\"{text}\"") } else { format!("'{text}'") }
}
