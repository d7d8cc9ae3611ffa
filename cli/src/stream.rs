//! Lines in, answers out, in the same order and on all cores.
//!
//! Whoever is free reads the next piece of the input, answers its lines and waits for its turn to write. So there is
//! no more in memory than one piece for each worker, however long the input is; and since a piece is what one read
//! gives, a line that comes alone is answered at once.

use std::fmt;
use std::io::{self, BufRead, ErrorKind, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// The longest line, in bytes.
pub(crate) const LONGEST: usize = 1 << 20;
/// How much one read asks for.
const BLOCK: usize = 1 << 17;

/// Why not all lines were answered.
#[derive(Debug)]
pub(crate) enum Stopped {
    /// The input cannot be read.
    Input(io::Error),
    /// Nobody takes the answers.
    Output(io::Error),
    /// An answer failed beyond repair.
    Broken,
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input(error) => write!(f, "the input cannot be read: {error}"),
            Self::Output(error) => write!(f, "the answers cannot be written: {error}"),
            Self::Broken => f.write_str("the program broke; please report the input"),
        }
    }
}

/// Gives every line that is not blank to `answer`: its number, the line itself, or nothing where it is longer than
/// [`LONGEST`], and where the answer goes. `answer` says whether the line was good; the result is the number of bad ones.
///
/// Threads that wait for more input are left behind when the output breaks: nothing can wake them.
pub(crate) fn run<R, W, A>(input: R, output: W, workers: usize, answer: A) -> Result<u64, Stopped>
where
    R: Read + Send + 'static,
    W: Write + Send + 'static,
    A: Fn(u64, Option<&[u8]>, &mut Vec<u8>) -> bool + Send + Sync + 'static,
{
    let whole = move |lines: Lines<'_, '_>, out: &mut Vec<u8>| {
        lines.filter(|(number, line)| !answer(*number, *line, out)).count()
    };
    run_pieces(input, output, workers, BLOCK, Arc::default(), whole).map(|end| end.bad)
}

/// The lines of one piece that are not blank, with their numbers; nothing in the place of one that is too long.
pub(crate) type Lines<'i, 'p> = &'i mut dyn Iterator<Item = (u64, Option<&'p [u8]>)>;

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct End {
    /// How many lines were bad.
    pub bad: u64,
    /// The first line that was not looked at.
    pub next: u64,
}

/// As [`run`], but gives all lines of a piece to `answer` at once, which says how many of them were bad. One read asks
/// for `block` bytes. Once `stop` is set no more is read, and what was read is answered.
pub(crate) fn run_pieces<R, W, A>(
    input: R,
    output: W,
    workers: usize,
    block: usize,
    stop: Arc<AtomicBool>,
    answer: A,
) -> Result<End, Stopped>
where
    R: Read + Send + 'static,
    W: Write + Send + 'static,
    A: Fn(Lines<'_, '_>, &mut Vec<u8>) -> usize + Send + Sync + 'static,
{
    let shared = Arc::new(Shared {
        source: Mutex::new(Source { input, block, stop, rest: Vec::new(), line: 1, turn: 0, is_over: false }),
        sink: Mutex::new(Sink { output, turn: 0, bad: 0, is_over: false, end: None }),
        moved: Condvar::new(),
    });
    let answer = Arc::new(answer);
    for _ in 0..workers.max(1) {
        let (shared, answer) = (Arc::clone(&shared), Arc::clone(&answer));
        std::thread::spawn(move || {
            let _guard = Guard(&shared);
            let mut out = Vec::new();
            while shared.work(&*answer, &mut out) {}
        });
    }
    let mut sink = lock(&shared.sink);
    loop {
        match sink.end.take() {
            Some(Ok(next)) => return Ok(End { bad: sink.bad, next }),
            Some(Err(stopped)) => return Err(stopped),
            None => sink = shared.moved.wait(sink).unwrap_or_else(PoisonError::into_inner),
        }
    }
}

struct Shared<R, W> {
    source: Mutex<Source<R>>,
    sink: Mutex<Sink<W>>,
    moved: Condvar,
}

/// The state behind a lock is whole at each moment at which a thread could break.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<R: Read, W: Write> Shared<R, W> {
    /// One piece from input to output. Says whether there can be more.
    fn work(&self, answer: impl Fn(Lines<'_, '_>, &mut Vec<u8>) -> usize, out: &mut Vec<u8>) -> bool {
        let (turn, piece, next) = {
            let mut source = lock(&self.source);
            if source.is_over {
                return false;
            }
            let piece = source.next();
            source.is_over = !matches!(piece, Ok(Some(_)));
            source.turn += 1;
            (source.turn - 1, piece, source.line)
        };
        out.clear();
        // Room for the next answers is kept, but not what one very long answer took.
        out.shrink_to(4 * BLOCK);
        let mut bad = 0;
        let end = match piece {
            Ok(Some(piece)) => {
                bad = answer(&mut piece.lines(), out) as u64;
                None
            }
            Ok(None) => Some(Ok(next)),
            Err(error) => Some(Err(Stopped::Input(error))),
        };
        let mut sink = lock(&self.sink);
        while sink.turn != turn {
            if sink.is_over {
                return false;
            }
            sink = self.moved.wait(sink).unwrap_or_else(PoisonError::into_inner);
        }
        sink.turn += 1;
        sink.bad += bad;
        let end = match sink.output.write_all(out).and_then(|()| sink.output.flush()) {
            Ok(()) => end,
            Err(error) => Some(Err(Stopped::Output(error))),
        };
        sink.is_over = end.is_some();
        sink.end = end;
        self.moved.notify_all();
        !sink.is_over
    }
}

/// Where the next piece comes from.
struct Source<R> {
    input: R,
    /// How much one read asks for.
    block: usize,
    /// Somebody wants no more of it.
    stop: Arc<AtomicBool>,
    /// What was read beyond the last whole line.
    rest: Vec<u8>,
    /// The number of the next line, counted from 1.
    line: u64,
    /// The number of the next piece.
    turn: u64,
    is_over: bool,
}

/// Where the next piece goes.
struct Sink<W> {
    output: W,
    /// The piece that is to be written next.
    turn: u64,
    bad: u64,
    is_over: bool,
    /// How it ended, for whoever started it.
    end: Option<Result<u64, Stopped>>,
}

/// Whole lines.
struct Piece {
    bytes: Vec<u8>,
    /// The number of the first one.
    first: u64,
    /// It is a single line, and too long to be kept.
    is_too_long: bool,
}

impl Piece {
    /// The lines that are not blank.
    fn lines(&self) -> impl Iterator<Item = (u64, Option<&[u8]>)> {
        let too_long = self.is_too_long.then_some((self.first, None));
        let mut rest = self.bytes.as_slice();
        let lines = std::iter::from_fn(move || {
            let before = rest;
            // What the library knows to be the quickest way to a newline. Memory can always be read.
            let length = rest.skip_until(b'\n').unwrap_or(0);
            before.get(..length).filter(|line| !line.is_empty())
        });
        let lines = lines.zip(self.first..).filter_map(|(line, number)| {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            // Some editors mark the first line of a file as UTF-8.
            let line = line.strip_prefix(b"\xef\xbb\xbf").filter(|_| number == 1).unwrap_or(line);
            let is_blank = line.iter().all(u8::is_ascii_whitespace);
            (!is_blank).then(|| (number, Some(line).filter(|line| line.len() <= LONGEST)))
        });
        too_long.into_iter().chain(lines)
    }
}

impl<R: Read> Source<R> {
    /// The next whole lines; nothing at the end. Waits for the input only as long as there is not one whole line.
    fn next(&mut self) -> io::Result<Option<Piece>> {
        if self.stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let mut bytes = std::mem::take(&mut self.rest);
        let mut seen = 0;
        loop {
            if let Some(at) = bytes[seen..].iter().rposition(|byte| *byte == b'\n') {
                self.rest = bytes.split_off(seen + at + 1);
                return Ok(Some(self.piece(bytes, false)));
            }
            seen = bytes.len();
            if seen > LONGEST {
                self.pass_over()?;
                return Ok(Some(self.piece(Vec::new(), true)));
            }
            bytes.resize(seen + self.block, 0);
            let length = self.read(&mut bytes[seen..])?;
            bytes.truncate(seen + length);
            if length == 0 {
                // The last line may lack its newline.
                return Ok((!bytes.is_empty()).then(|| self.piece(bytes, false)));
            }
        }
    }

    fn piece(&mut self, bytes: Vec<u8>, is_too_long: bool) -> Piece {
        let first = self.line;
        let ends = bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.line += ends + u64::from(is_too_long);
        Piece { bytes, first, is_too_long }
    }

    /// Reads to the end of the line that is too long, and keeps nothing of it.
    fn pass_over(&mut self) -> io::Result<()> {
        let mut block = vec![0; BLOCK];
        loop {
            let length = self.read(&mut block)?;
            let Some(at) = block[..length].iter().position(|byte| *byte == b'\n') else {
                if length == 0 {
                    return Ok(());
                }
                continue;
            };
            block.truncate(length);
            self.rest = block.split_off(at + 1);
            return Ok(());
        }
    }

    fn read(&mut self, block: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.input.read(block) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }
}

/// A thread that breaks takes its turn with it: without this the others would wait for it for ever.
struct Guard<'s, R, W>(&'s Shared<R, W>);

impl<R, W> Drop for Guard<'_, R, W> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let mut sink = lock(&self.0.sink);
            sink.is_over = true;
            sink.end.get_or_insert(Err(Stopped::Broken));
            self.0.moved.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;
    use std::sync::mpsc::{Receiver, Sender, channel};

    /// Gives what is in the list, one piece a read, and then the error if there is one.
    struct Script(VecDeque<Vec<u8>>, Option<ErrorKind>);

    impl Read for Script {
        fn read(&mut self, block: &mut [u8]) -> io::Result<usize> {
            let Some(next) = self.0.front_mut() else {
                return self.1.map_or(Ok(0), |kind| Err(kind.into()));
            };
            let length = next.len().min(block.len());
            block[..length].copy_from_slice(&next[..length]);
            next.drain(..length);
            if next.is_empty() {
                self.0.pop_front();
            }
            Ok(length)
        }
    }

    struct Told(Sender<Vec<u8>>);

    impl Write for Told {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.send(bytes.to_vec()).map_err(|_| ErrorKind::BrokenPipe)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn echo(number: u64, line: Option<&[u8]>, out: &mut Vec<u8>) -> bool {
        match line {
            Some(line) => out.extend(format!("{number} {}\n", String::from_utf8_lossy(line)).bytes()),
            None => out.extend(format!("{number} too long\n").bytes()),
        }
        line.is_some()
    }

    fn script(pieces: &[&[u8]]) -> Script {
        Script(pieces.iter().map(|piece| piece.to_vec()).filter(|piece| !piece.is_empty()).collect(), None)
    }

    fn all(told: &Receiver<Vec<u8>>) -> String {
        String::from_utf8(told.iter().flatten().collect()).unwrap()
    }

    fn answers(script: Script, workers: usize) -> (String, u64) {
        let (tell, told) = channel();
        let bad = run(script, Told(tell), workers, echo).unwrap();
        (all(&told), bad)
    }

    #[test]
    fn lines_keep_their_numbers_however_the_input_is_cut() {
        let text: &[u8] = b"\xef\xbb\xbfone\n\n \r\nfour\nfive";
        for cut in 0..text.len() {
            let (said, bad) = answers(script(&[&text[..cut], &text[cut..]]), 3);
            assert_eq!((said.as_str(), bad), ("1 one\n4 four\n5 five\n", 0), "cut at {cut}");
        }
    }

    #[test]
    fn order_is_kept_on_any_number_of_threads() {
        let lines: Vec<Vec<u8>> = (1..=2_000).map(|n| format!("{n}\n").into_bytes()).collect();
        let expected: String = (1..=2_000).map(|n| format!("{n} {n}\n")).collect();
        for workers in [0, 1, 2, 7] {
            assert_eq!(answers(Script(lines.clone().into(), None), workers).0, expected, "{workers} threads");
        }
    }

    #[test]
    fn a_line_is_too_long_from_one_byte_on_wherever_it_ends() {
        let line = |length: usize| [vec![b'x'; length], b"\n".to_vec()].concat();
        for (length, bad) in [(LONGEST, 0), (LONGEST + 1, 1), (2 * LONGEST, 1)] {
            for last in [&b"after\n"[..], b""] {
                let (said, count) = answers(script(&[b"before\n", &line(length), last]), 2);
                assert_eq!(count, bad, "{length} bytes");
                assert_eq!(said.contains("2 too long\n"), bad == 1, "{length} bytes");
                assert!(said.starts_with("1 before\n") && said.ends_with("3 after\n") != last.is_empty());
            }
        }
        let (said, bad) = answers(script(&[&vec![b'x'; 2 * LONGEST]]), 2);
        assert_eq!((said.as_str(), bad), ("1 too long\n", 1), "without an end");
    }

    #[test]
    fn what_came_before_an_error_is_answered() {
        let (tell, told) = channel();
        let input = Script([b"one\ntwo\nthr".to_vec()].into(), Some(ErrorKind::ConnectionReset));
        let stopped = run(input, Told(tell), 2, echo).unwrap_err();
        assert!(matches!(stopped, Stopped::Input(error) if error.kind() == ErrorKind::ConnectionReset));
        assert_eq!(all(&told), "1 one\n2 two\n");
    }

    #[test]
    fn whoever_stops_it_learns_where_to_go_on() {
        let (tell, told) = channel();
        let stop = Arc::new(AtomicBool::new(false));
        let (seen, lines) = (Arc::clone(&stop), b"one\ntwo\nthree\n".map(|byte| vec![byte]));
        let answer = move |lines: Lines<'_, '_>, out: &mut Vec<u8>| {
            for (number, line) in lines {
                seen.store(number == 2, Ordering::Relaxed);
                echo(number, line, out);
            }
            0
        };
        let end = run_pieces(Script(lines.into(), None), Told(tell), 1, BLOCK, stop, answer).unwrap();
        assert_eq!((all(&told).as_str(), end), ("1 one\n2 two\n", End { bad: 0, next: 3 }));
    }

    /// Input that never ends, and never comes.
    struct Silence(Receiver<Vec<u8>>);

    impl Read for Silence {
        fn read(&mut self, block: &mut [u8]) -> io::Result<usize> {
            let Ok(bytes) = self.0.recv() else { return Ok(0) };
            block[..bytes.len()].copy_from_slice(&bytes);
            Ok(bytes.len())
        }
    }

    #[test]
    fn a_single_line_is_answered_while_the_input_stays_open() {
        let (write, silence) = channel();
        let (tell, told) = channel();
        let running = std::thread::spawn(move || run(Silence(silence), Told(tell), 2, echo));
        for n in 1..=3 {
            write.send(b"here\n".to_vec()).unwrap();
            assert_eq!(told.recv().unwrap(), format!("{n} here\n").into_bytes());
        }
        drop(write);
        assert_eq!(running.join().unwrap().unwrap(), 0);
    }

    #[test]
    fn it_ends_when_nobody_listens_or_a_thread_breaks_though_the_input_stays_open() {
        let (write, silence) = channel();
        let (tell, told) = channel();
        drop(told);
        write.send(b"here\n".to_vec()).unwrap();
        let stopped = run(Silence(silence), Told(tell), 2, echo).unwrap_err();
        assert!(matches!(stopped, Stopped::Output(error) if error.kind() == ErrorKind::BrokenPipe));

        let (write, silence) = channel();
        let (tell, _told) = channel();
        write.send(b"here\n".to_vec()).unwrap();
        let broken = |_: u64, _: Option<&[u8]>, _: &mut Vec<u8>| -> bool { panic!("on purpose") };
        let stopped = run(Silence(silence), Told(tell), 2, broken).unwrap_err();
        assert!(matches!(stopped, Stopped::Broken));
        drop(write);
    }
}
