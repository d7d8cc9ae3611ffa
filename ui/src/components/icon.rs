//! Signs, drawn on a grid of 24. Each stands beside its word, so a screen reader skips it.

use yew::prelude::*;

macro_rules! shapes {
    ($($(#[$doc:meta])* $shape:ident = $path:literal,)*) => {
        /// What a sign shows.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Shape { $($(#[$doc])* $shape,)* }

        impl Shape {
            fn path(self) -> &'static str {
                match self { $(Self::$shape => $path,)* }
            }
        }
    };
}

shapes! {
    /// The mark of the program.
    Helix = "M7 2.5C7 8 17 7 17 12S7 16 7 21.5M17 2.5C17 8 7 7 7 12s10 4 10 9.5M8.2 4.8h7.6M8.2 12h7.6M8.2 19.2h7.6",
    /// First page.
    Home = "M3 10.5 12 3l9 7.5M5.5 9v11h13V9M10 20v-6h4v6",
    /// What is shared.
    Share = "M12 3v12M7.5 7.5 12 3l4.5 4.5M5 13v7h14v-7",
    /// A list of events.
    Log = "M4 6h16M4 12h16M4 18h10",
    /// A key.
    Key = "M12 14a4 4 0 1 1-8 0 4 4 0 0 1 8 0zM11 11l9-9M16.5 5.5l3 3",
    /// Several people.
    People = "M12.5 8a3.5 3.5 0 1 1-7 0 3.5 3.5 0 0 1 7 0zM2.5 20a6.5 6.5 0 0 1 13 0M16 5a3.5 3.5 0 0 1 0 6.5M18 14.5a6.5 6.5 0 0 1 3.5 5.5",
    /// One person.
    Person = "M16 8a4 4 0 1 1-8 0 4 4 0 0 1 8 0zM4.5 21a7.5 7.5 0 0 1 15 0",
    /// A desk with samples.
    Desk = "M8 3h8M10 3v14a2.5 2.5 0 0 0 5 0V3M10 11h5M4 21h16",
    /// A microscope.
    Microscope = "M6 21h13M9 17h5M11 4l4-1 2.5 8-4 1.2zM12.5 8.5 10 9.3M16 12.5a5 5 0 0 1-1 8.5",
    /// Yes.
    Check = "m4 12.5 5 5L20 6.5",
    /// No.
    Cross = "M6 6l12 12M18 6 6 18",
    /// Neither yes nor no.
    Minus = "M5 12h14",
    /// Waiting.
    Clock = "M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0zM12 7v5l3 2",
    /// A danger.
    Alert = "M12 4 2.5 20h19zM12 10v4.5M12 17.4v.1",
    /// Over.
    Flag = "M5 21V4M5 5h13l-3 4 3 4H5",
    /// On its way.
    Cloud = "M12 20v-8M8.5 15.5 12 12l3.5 3.5M6.5 17a4 4 0 0 1-.4-8A6 6 0 0 1 17.8 8.6 4.2 4.2 0 0 1 18 17",
    /// No connection.
    Offline = "M3 3l18 18M8.5 16.5a5 5 0 0 1 7 0M5 12.9a10 10 0 0 1 5-2.7M14.5 10.4a10 10 0 0 1 4.5 2.5M12 20h.01M2 8.8a15 15 0 0 1 4.2-2.6M10.7 5.1A15 15 0 0 1 22 8.8",
    /// A lock.
    Lock = "M6 11h12v10H6zM8.5 11V7.5a3.5 3.5 0 0 1 7 0V11M12 15v2",
    /// A safe.
    Safe = "M4 4h16v15H4zM7 19v2M17 19v2M15 11.5a3 3 0 1 1-6 0 3 3 0 0 1 6 0zM12 8.5V7M12 16v-1.5",
    /// A signature.
    Pen = "M4 20l1-5L16.5 3.5l4 4L9 19zM14 6l4 4M12 21h8",
    /// A letter.
    Letter = "M3 6h18v13H3zM3 7l9 7 9-7",
    /// A way back.
    Back = "M15 5l-7 7 7 7",
    /// Out of a door.
    Switch = "M4 8h13M13 4l4 4-4 4M20 16H7M11 12l-4 4 4 4",
    /// A question to many.
    Ask = "M4 5h16v11H9l-5 4zM8 9.5h8M8 12.5h5",
    /// Two sheets.
    Copy = "M9 9h11v11H9zM5 15H4V4h11v1",
    /// A file.
    File = "M6 3h8l5 5v13H6zM14 3v5h5",
    /// Looking for something.
    Search = "M17 10.5a6.5 6.5 0 1 1-13 0 6.5 6.5 0 0 1 13 0zM15.5 15.5 21 21",
    /// Something more.
    Plus = "M12 5v14M5 12h14",
    /// To be looked at.
    Eye = "M2 12s3.5-6.5 10-6.5S22 12 22 12s-3.5 6.5-10 6.5S2 12 2 12zM15 12a3 3 0 1 1-6 0 3 3 0 0 1 6 0z",
    /// Stopped for a while.
    Pause = "M8.5 5v14M15.5 5v14",
    /// Going on.
    Play = "M8 5l11 7-11 7z",
    /// A day.
    Calendar = "M4 6h16v14H4zM4 10.5h16M8 3.5V7M16 3.5V7",
    /// What can be set.
    Sliders = "M4 7h9M17 7h3M15 4.5v5M4 17h3M11 17h9M9 14.5v5",
    /// One over the other.
    Layers = "M12 3.5 21 8l-9 4.5L3 8zM4 12.5l8 4 8-4M4 16.5l8 4 8-4",
}

/// Properties of a sign.
#[derive(Properties, PartialEq)]
pub struct IconProps {
    /// What it shows.
    pub shape: Shape,
    /// Its side in CSS pixels at normal text size.
    #[prop_or(20)]
    pub size: u32,
}

/// A sign.
#[component]
pub fn Icon(props: &IconProps) -> Html {
    // In rem, so that signs grow with the text.
    let side = format!("{}rem", f64::from(props.size) / 16.0);
    html! {
        <svg class="icon" width={side.clone()} height={side} viewBox="0 0 24 24" fill="none" stroke="currentColor"
            stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">
            <path d={props.shape.path()} />
        </svg>
    }
}
