//! What was read and not yet given.

/// What was read and not yet given. It holds memory only while there is something in it.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    /// Where what was not given begins.
    start: usize,
    /// How many bytes from there are known to hold no end of a line.
    searched: usize,
}

impl Buffer {
    pub(super) fn as_slice(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len() - self.start
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds what was read. If nothing else is there, it is taken as it is.
    pub(super) fn push(&mut self, data: Vec<u8>) {
        if self.is_empty() {
            *self = Self {
                bytes: data,
                ..Self::default()
            };
            return;
        }
        if self.start > 0 {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
        self.bytes.extend_from_slice(&data);
    }

    /// Forgets the first `count` bytes; all, if there are fewer.
    pub(super) fn consume(&mut self, count: usize) {
        if count >= self.len() {
            *self = Self::default();
        } else {
            self.start += count;
            self.searched = self.searched.saturating_sub(count);
        }
    }

    /// Takes the first `max` bytes; all, if there are fewer.
    pub(super) fn take(&mut self, max: usize) -> Vec<u8> {
        if self.start == 0 && max >= self.bytes.len() {
            return std::mem::take(self).bytes;
        }
        let end = self.len().min(max);
        let taken = self.as_slice()[..end].to_vec();
        self.consume(end);
        taken
    }

    /// How long the first line is, with its end, if that is there. No byte is looked at twice.
    pub(super) fn line_len(&mut self) -> Option<usize> {
        let end = memchr::memchr(b'\n', &self.as_slice()[self.searched..]);
        let line = end.map(|end| self.searched + end + 1);
        if line.is_none() {
            self.searched = self.len();
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_may_come_in_pieces() {
        let mut buffer = Buffer::default();
        assert_eq!(buffer.line_len(), None);
        buffer.push(b"on".to_vec());
        assert_eq!(buffer.line_len(), None);
        assert_eq!(buffer.searched, 2);
        buffer.push(b"e\ntwo\nthr".to_vec());
        assert_eq!(buffer.line_len(), Some(4));
        assert_eq!(buffer.take(4), b"one\n");
        assert_eq!(buffer.line_len(), Some(4));
        assert_eq!(buffer.take(4), b"two\n");
        assert_eq!(buffer.line_len(), None);
        // Some of what was searched is taken by one who wants no lines.
        assert_eq!(buffer.take(2), b"th");
        assert_eq!(buffer.searched, 1);
        buffer.push(b"ee\n".to_vec());
        assert_eq!(buffer.line_len(), Some(4));
        assert_eq!(buffer.as_slice(), b"ree\n");
    }

    #[test]
    fn what_is_taken_whole_is_not_copied() {
        let mut buffer = Buffer::default();
        let data = vec![7; 1000];
        let place = data.as_ptr();
        buffer.push(data);
        let taken = buffer.take(usize::MAX);
        assert_eq!(taken.as_ptr(), place);
        assert!(buffer.is_empty());
        assert_eq!(buffer.bytes.capacity(), 0);
    }

    #[test]
    fn nothing_is_left_when_all_is_taken() {
        let mut buffer = Buffer::default();
        buffer.push(vec![1, 2, 3]);
        assert_eq!(buffer.take(0), b"");
        assert_eq!(buffer.take(1), [1]);
        assert_eq!(buffer.take(9), [2, 3]);
        assert_eq!(buffer.take(9), b"");
        buffer.push(vec![4]);
        buffer.consume(100);
        assert_eq!((buffer.len(), buffer.bytes.capacity()), (0, 0));
    }
}
