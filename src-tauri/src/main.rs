//! The window. It opens, registers the commands of `bridge`, and passes each to the core unchanged.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use clap::Parser;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tauri::{AppHandle, Emitter, WebviewUrl, WebviewWindowBuilder};
use tracing_subscriber::EnvFilter;
use wallet::{App, Places};

/// How often the core sends what waits and asks for news, while no stream brings them.
const ROUND: Duration = Duration::from_secs(3);
const WINDOW: &str = "main";

/// A wallet for research consent.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// An invitation link to open, as in consent-wallet://join?…
    invitation: Option<String>,
    /// Folder of the profiles [default: the user's data folder].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Folder into which proofs are saved [default: the user's downloads].
    #[arg(long, value_name = "DIR")]
    downloads: Option<PathBuf>,
    /// File that tells of a biobank on this machine, as `biobankd --demo` writes it.
    #[arg(long, value_name = "FILE")]
    demo: Option<PathBuf>,
    /// Added to the names of the keychain's entries, so that a demo keeps its keys apart.
    #[arg(long, value_name = "TEXT", default_value = "")]
    keychain_suffix: String,
}

impl Arguments {
    fn places(self) -> Places {
        let data = self.data.or_else(|| dirs::data_dir().map(|dir| dir.join("consent-wallet"))).unwrap_or_default();
        let downloads = self.downloads.or_else(dirs::download_dir).unwrap_or_else(|| data.join("proofs"));
        Places {
            profiles: data.join("profiles"),
            downloads,
            demo: self.demo,
            invitation: self.invitation,
            keychain_suffix: self.keychain_suffix,
        }
    }
}

/// One window command for each command of `bridge`; each body is one expression.
macro_rules! window_commands {
    ($(($name:ident, $command:ident)),*) => {
        mod commands {
            use bridge::{Command, Failure};
            use std::sync::Arc;
            use tauri::State;
            use wallet::App;

            $(
                #[tauri::command]
                pub async fn $name(
                    app: State<'_, Arc<App>>,
                    request: bridge::$command,
                ) -> Result<<bridge::$command as Command>::View, Failure> {
                    app.$name(request).await
                }
            )*
        }

        fn handler() -> impl Fn(tauri::ipc::Invoke<tauri::Wry>) -> bool + Send + Sync + 'static {
            tauri::generate_handler![$(commands::$name),*]
        }
    };
}
bridge::each_command!(window_commands);

fn main() -> tauri::Result<()> {
    let arguments = Arguments::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let app = Arc::new(App::new(arguments.places()));
    tauri::Builder::default()
        .manage(app.clone())
        .invoke_handler(handler())
        .setup(move |window| {
            open_window(window.handle())?;
            tauri::async_runtime::spawn(watch(app, window.handle().clone()));
            Ok(())
        })
        .run(tauri::generate_context!())
}

fn open_window(app: &AppHandle) -> tauri::Result<()> {
    WebviewWindowBuilder::new(app, WINDOW, WebviewUrl::default())
        .title("Consent Wallet")
        .inner_size(1180.0, 860.0)
        .min_inner_size(720.0, 560.0)
        // Files are dropped into the page, which reads them itself; the window has no right to open any.
        .disable_drag_drop_handler()
        // The page's title carries the role; a person sees it in the window's frame.
        .on_document_title_changed(|window, title| {
            if let Err(error) = window.set_title(&title) {
                tracing::warn!(%error, "title");
            }
        })
        .build()
        .map(drop)
}

/// Sends what waits and asks for news; tells the window when something changed.
async fn watch(app: Arc<App>, window: AppHandle) {
    loop {
        if app.tick().await
            && let Err(error) = window.emit_to(WINDOW, "changed", ())
        {
            tracing::warn!(%error, "event");
        }
        app.wait(ROUND).await;
    }
}
