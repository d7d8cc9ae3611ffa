//! Work on many entries at once: a signature takes longer than everything else together.

use std::num::NonZero;
use std::thread;

/// Below this many entries the threads would cost more than they save.
const MIN_SHARE: usize = 64;

/// The result of `work` for each item, in their order, on every core. `meanwhile` runs on the thread of the caller.
pub(super) fn map_while<T: Sync, R: Send, M>(
    items: &[T],
    work: impl Fn(&T) -> R + Sync,
    meanwhile: impl FnOnce() -> M,
) -> (Vec<R>, M) {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let share = items.len().div_ceil(cores).max(MIN_SHARE);
    if items.len() <= MIN_SHARE {
        return (items.iter().map(work).collect(), meanwhile());
    }
    thread::scope(|scope| {
        let work = &work;
        let shares: Vec<_> =
            items.chunks(share).map(|share| scope.spawn(move || share.iter().map(work).collect::<Vec<R>>())).collect();
        let other = meanwhile();
        let mut results = Vec::with_capacity(items.len());
        for share in shares {
            match share.join() {
                Ok(share) => results.extend(share),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        (results, other)
    })
}
