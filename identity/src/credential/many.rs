//! Many consents at once: their signatures together, on all cores, with no more in memory than is being looked at.

use super::checks::Verification;
use super::linked;
use super::signature::{Open, Question};
use super::verify::{ConsentCredential, open_consent};
use crate::batch::{Claim, all_verify};
use consent::Timestamp;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// How many consents are best looked at together. More would gain little and take memory.
pub const CHUNK: usize = 512;

/// Verifies consents together, on this thread; the verdict of each is that of [`super::verify_consent`].
///
/// If all signatures together are right, each is. If not, each is checked alone.
pub fn verify_chunk<B: AsRef<[u8]>>(credentials: &[B], now: Timestamp) -> Vec<Verification<ConsentCredential>> {
    let open: Vec<_> = credentials.iter().map(|bytes| open_consent(bytes.as_ref(), now)).collect();
    let claims: Vec<_> = open.iter().filter_map(claim).collect();
    // A single one gains nothing from company.
    let are_all_right = claims.len() > 1 && all_verify(&claims);
    open.into_iter().map(|open| settle(open, are_all_right)).collect()
}

fn claim(open: &Open<ConsentCredential>) -> Option<Claim<'_>> {
    match &open.question {
        Question::Ours(signed) => Some(Claim { key: signed.key, message: &signed.bytes, signature: &signed.signature }),
        _ => None,
    }
}

fn settle(mut open: Open<ConsentCredential>, are_all_right: bool) -> Verification<ConsentCredential> {
    let answer = match std::mem::replace(&mut open.question, Question::None) {
        Question::None => None,
        Question::Ours(_) if are_all_right => Some(Ok(())),
        Question::Ours(signed) => Some(signed.check()),
        Question::Library(document) => Some(linked::verify_now(document)),
    };
    open.conclude(answer)
}

/// Verifies consents on `threads` threads and hands the results to `each` in the order of the input, with their place
/// in it. At most two chunks of [`CHUNK`] for each thread are in memory, however many there are.
///
/// `each` says whether to go on.
pub fn verify_consents<I, B>(
    credentials: I,
    now: Timestamp,
    threads: usize,
    mut each: impl FnMut(usize, Verification<ConsentCredential>) -> bool,
) where
    I: Iterator<Item = B> + Send,
    B: AsRef<[u8]> + Send,
{
    let source = Mutex::new((credentials, 0_usize));
    let (sink, moved) = (Mutex::new(Sink::default()), Condvar::new());
    let threads = threads.max(1);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let guard = Guard(&sink, &moved);
                while work(&source, &sink, &moved, now) {}
                drop(guard);
            });
        }
        let mut place = 0;
        while let Some(results) = next(&sink, &moved, threads) {
            for result in results {
                if !each(place, result) {
                    lock(&sink).is_over = true;
                    moved.notify_all();
                    return;
                }
                place += 1;
            }
        }
    });
}

type Results = Vec<Verification<ConsentCredential>>;

#[derive(Default)]
struct Sink {
    /// The results whose turn it is.
    ready: Option<Results>,
    /// The chunk that is to be handed over next.
    turn: usize,
    /// Threads that are done.
    done: usize,
    is_over: bool,
}

/// What a lock guards is whole at each moment at which a thread could break.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One chunk from input to results. Says whether there can be more.
fn work<I, B>(source: &Mutex<(I, usize)>, sink: &Mutex<Sink>, moved: &Condvar, now: Timestamp) -> bool
where
    I: Iterator<Item = B>,
    B: AsRef<[u8]>,
{
    let (chunk, turn) = {
        let mut source = lock(source);
        let chunk: Vec<B> = source.0.by_ref().take(CHUNK).collect();
        source.1 += 1;
        (chunk, source.1 - 1)
    };
    if chunk.is_empty() {
        return false;
    }
    let results = verify_chunk(&chunk, now);
    drop(chunk);
    let mut sink = lock(sink);
    while sink.turn != turn || sink.ready.is_some() {
        if sink.is_over {
            return false;
        }
        sink = moved.wait(sink).unwrap_or_else(PoisonError::into_inner);
    }
    sink.ready = Some(results);
    moved.notify_all();
    !sink.is_over
}

/// The results whose turn it is; nothing after the last.
fn next(sink: &Mutex<Sink>, moved: &Condvar, threads: usize) -> Option<Results> {
    let mut sink = lock(sink);
    loop {
        if let Some(results) = sink.ready.take() {
            sink.turn += 1;
            moved.notify_all();
            return Some(results);
        }
        if sink.is_over || sink.done == threads {
            return None;
        }
        sink = moved.wait(sink).unwrap_or_else(PoisonError::into_inner);
    }
}

/// Counts a thread as done however it ends, so that nobody waits for one that broke.
struct Guard<'s>(&'s Mutex<Sink>, &'s Condvar);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        let mut sink = lock(self.0);
        sink.done += 1;
        // The turn of a thread that broke never comes.
        sink.is_over |= std::thread::panicking();
        self.1.notify_all();
    }
}
