//! Tells Tauri which commands exist: exactly those of `bridge`, each closed until a capability opens it.

fn main() {
    let commands = tauri_build::AppManifest::new().commands(bridge::NAMES);
    let attributes = tauri_build::Attributes::new().app_manifest(commands);
    if let Err(error) = tauri_build::try_build(attributes) {
        // A build script has no other way to fail with a reason.
        #[allow(clippy::panic)]
        {
            panic!("{error:#}");
        }
    }
}
