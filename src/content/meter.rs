//! A limit on how many bytes are read in all: of one look, by however many threads.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::artefact::{Entry, Folder};
use super::bytes::ByteSource;

/// How many bytes may still be read. Clones share it.
#[derive(Debug, Clone)]
pub struct Meter {
    left: Arc<AtomicU64>,
    limit: u64,
}

impl Meter {
    /// At most so many bytes.
    pub fn new(limit: u64) -> Self {
        Self { left: Arc::new(AtomicU64::new(limit)), limit }
    }

    /// Whether nothing may be read any more.
    pub fn is_spent(&self) -> bool {
        self.left.load(Ordering::Relaxed) == 0
    }

    /// How many bytes were allowed.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    fn take(&self, bytes: u64) {
        let less = |left: u64| Some(left.saturating_sub(bytes));
        // The closure always gives a value.
        let _ = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }
}

/// A source, or a folder of them, that stops when the meter is spent.
pub struct Metered<S> {
    inner: S,
    meter: Meter,
    /// Hears of every failure, whole: reports keep only its words.
    failed: Arc<dyn Fn(&io::Error) + Send + Sync>,
}

impl<S> Metered<S> {
    /// Of a source or a folder.
    pub fn new(inner: S, meter: &Meter, failed: Arc<dyn Fn(&io::Error) + Send + Sync>) -> Self {
        Self { inner, meter: meter.clone(), failed }
    }
}

impl<S: ByteSource> ByteSource for Metered<S> {
    fn size(&self) -> u64 {
        self.inner.size()
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        if self.meter.is_spent() && offset < self.inner.size() {
            return Err(io::Error::other(format!("the limit of {} bytes was reached", self.meter.limit())));
        }
        match self.inner.read_at(offset, into) {
            Ok(count) => {
                self.meter.take(count as u64);
                Ok(count)
            }
            Err(error) => {
                (self.failed)(&error);
                Err(error)
            }
        }
    }
}

impl<S: ByteSource + ?Sized> ByteSource for Box<S> {
    fn size(&self) -> u64 {
        (**self).size()
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        (**self).read_at(offset, into)
    }
}

impl<F: Folder> Folder for Metered<F> {
    fn uri(&self) -> String {
        self.inner.uri()
    }

    fn entries(&self) -> io::Result<(Vec<Entry>, bool)> {
        self.inner.entries()
    }

    fn open(&self, path: &str) -> io::Result<Box<dyn ByteSource + '_>> {
        Ok(Box::new(Metered::new(self.inner.open(path)?, &self.meter, self.failed.clone())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    struct Broken;

    impl ByteSource for Broken {
        fn size(&self) -> u64 {
            9
        }

        fn read_at(&self, _: u64, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("no"))
        }
    }

    #[test]
    fn a_spent_meter_is_an_error_and_the_end_is_none() {
        let meter = Meter::new(6);
        let quiet: Arc<dyn Fn(&io::Error) + Send + Sync> = Arc::new(|_| {});
        let bytes: &[u8] = b"0123456789";
        let (one, two) = (Metered::new(bytes, &meter, quiet.clone()), Metered::new(bytes, &meter, quiet));
        let mut into = [0; 4];
        assert_eq!(one.read_at(0, &mut into).unwrap(), 4);
        assert_eq!(two.read_at(0, &mut into).unwrap(), 4, "what is begun is read");
        assert!(meter.is_spent() && one.read_at(4, &mut into).unwrap_err().to_string().contains("limit of 6 bytes"));
        assert_eq!(two.read_at(10, &mut into).unwrap(), 0);
    }

    #[test]
    fn failures_are_heard() {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let hear = heard.clone();
        let source = Metered::new(
            Broken,
            &Meter::new(9),
            Arc::new(move |error: &io::Error| hear.lock().unwrap().push(error.to_string())),
        );
        assert!(source.read_at(0, &mut [0]).is_err());
        assert_eq!(*heard.lock().unwrap(), ["no"]);
    }
}
