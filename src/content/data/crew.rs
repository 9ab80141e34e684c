//! Several threads look at the blocks of one file; what they saw comes back in the order of the file.
//!
//! Blocks are dealt round, each thread has its own way to and fro: so nothing must be put in order, and one that ends
//! early is noticed at once.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use super::block::Block;
use super::look::Looker;

/// So many blocks a thread has before it: one to look at, one to go on with.
pub(super) const AHEAD: usize = 2;

/// Hands every block that `next` makes (in the memory of an old one) to a looker, and then to `keep`, in order. An error
/// of `next` comes back when all before it are kept.
pub(super) fn each(
    lookers: &mut [Looker],
    mut next: impl FnMut(Block) -> io::Result<Option<Block>>,
    mut keep: impl FnMut(&Block),
) -> io::Result<()> {
    // why before any thread: most files are small.
    let Some(mut first) = next(Block::default())? else { return Ok(()) };
    let mut second = next(Block::default());
    if lookers.len() > 1 && matches!(second, Ok(Some(_))) {
        return together(lookers, [Ok(Some(first)), second], next, keep);
    }
    let Some(looker) = lookers.first_mut() else { return Ok(()) };
    loop {
        looker.look(&mut first);
        keep(&first);
        let Some(following) = second? else { return Ok(()) };
        second = next(std::mem::replace(&mut first, following));
    }
}

fn together(
    lookers: &mut [Looker],
    begun: [io::Result<Option<Block>>; 2],
    mut next: impl FnMut(Block) -> io::Result<Option<Block>>,
    mut keep: impl FnMut(&Block),
) -> io::Result<()> {
    thread::scope(|scope| {
        let desks: Vec<(SyncSender<Block>, Receiver<Block>)> = lookers
            .iter_mut()
            .map(|looker| {
                let (give, todo) = sync_channel::<Block>(AHEAD);
                let (done, take) = sync_channel(AHEAD);
                scope.spawn(move || {
                    for mut block in todo {
                        looker.look(&mut block);
                        if done.send(block).is_err() {
                            return;
                        }
                    }
                });
                (give, take)
            })
            .collect();
        let mut begun = begun.into_iter();
        let (mut given, mut kept, mut old) = (0, 0, Vec::new());
        let (mut more, mut outcome) = (true, Ok(()));
        loop {
            if more && given - kept < desks.len() * AHEAD {
                match begun.next().unwrap_or_else(|| next(old.pop().unwrap_or_default())) {
                    Ok(Some(block)) => {
                        // why not an error: a looker that panics takes the whole scope with it.
                        let Ok(()) = desks[given % desks.len()].0.send(block) else { return Ok(()) };
                        given += 1;
                    }
                    Ok(None) => more = false,
                    Err(error) => (more, outcome) = (false, Err(error)),
                }
            } else if kept < given {
                let Ok(block) = desks[kept % desks.len()].1.recv() else { return Ok(()) };
                kept += 1;
                keep(&block);
                old.push(block);
            } else {
                return outcome;
            }
        }
    })
}
