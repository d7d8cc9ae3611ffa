#![doc = include_str!("../README.md")]

// First, because the others use its macro.
#[macro_use]
mod i18n;

mod app;
mod components;
mod core;
mod hooks;
mod participant;
mod researcher;
mod staff;
mod start;

fn main() {
    yew::Renderer::<app::App>::new().render();
}
