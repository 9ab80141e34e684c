//! Which pages of CloudTrail's event history to ask for when the latest are not all: a plan without a network.
//!
//! `LookupEvents` gives 50 events a page, two pages a second, and in a busy account most of them are what
//! consoles and scanners read. So a stretch of time that was not read is looked through by attribute, one a
//! call: first what customization stands and falls by, a page of each in turn so that all of them fill from the
//! newest on, then everything else.

use std::collections::VecDeque;

use crate::aws::read::cloudtrail::{Attribute, Lookup};
use crate::base::Timestamp;
use crate::inventory::coverage::Looked;

/// Calls that are looked for by name: changes that are rare and grave, then the use of keys and models. What
/// CloudTrail counts as writing is looked for as a whole besides.
pub(super) const NAMED: &[&str] = &[
    "CreateModelCustomizationJob",
    "PutKeyPolicy",
    "CreateGrant",
    "ScheduleKeyDeletion",
    "DisableKey",
    "Decrypt",
    "GenerateDataKey",
    "InvokeModel",
    "InvokeModelWithResponseStream",
    "Converse",
    "ConverseStream",
];
/// Pages of one kind of event in one gap; each is 50 events.
const OF_A_KIND: u32 = 40;
/// Pages of all other events in one gap.
const OF_THE_REST: u32 = 100;
/// Gaps that are kept; of older ones nothing more is read.
const GAPS: usize = 8;

/// What is still to be looked through, the newest gap first.
#[derive(Debug, Default)]
pub(super) struct Backfill(VecDeque<Gap>);

/// A stretch of time of which not everything was read.
#[derive(Debug)]
struct Gap {
    from: Timestamp,
    /// The newest that is missing is not after this.
    to: Timestamp,
    /// The last is that of everything.
    lanes: Vec<Lane>,
    /// Whose turn it is.
    turn: usize,
}

/// One kind of event in a gap, read from its newest on.
#[derive(Debug)]
struct Lane {
    attribute: Option<Attribute>,
    /// How far back all of its events are here.
    reached: Timestamp,
    token: Option<String>,
    pages: u32,
    most: u32,
    end: End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// There is more to read.
    Open,
    /// There is more, but it is not read.
    Enough,
    /// All of it is here.
    Whole,
}

/// A page to ask for.
#[derive(Debug)]
pub(super) struct Ask {
    pub(super) lookup: Lookup,
    pub(super) token: Option<String>,
    gap: usize,
    lane: usize,
}

/// How far everything was looked at, and what remains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct State {
    pub(super) looked: Looked,
    /// Whether more is going to be read.
    pub(super) goes_on: bool,
}

impl Backfill {
    /// A stretch of time was left out.
    pub(super) fn add(&mut self, from: Timestamp, to: Timestamp) {
        let lane = |attribute, most| Lane { attribute, reached: to, token: None, pages: 0, most, end: End::Open };
        let named = NAMED.iter().map(|name| Attribute::Name((*name).to_owned())).chain([Attribute::ReadOnly(false)]);
        let mut lanes: Vec<_> = named.map(|attribute| lane(Some(attribute), OF_A_KIND)).collect();
        lanes.push(lane(None, OF_THE_REST));
        self.0.push_front(Gap { from, to, lanes, turn: 0 });
        self.0.truncate(GAPS);
    }

    /// Forgets what lies before `begin`: nobody asks for it any more.
    pub(super) fn forget(&mut self, begin: Timestamp) {
        self.0.retain(|gap| gap.to > begin && !gap.is_whole());
    }

    /// How many pages the named kinds take at least: a first page of each.
    pub(super) fn first_pages(&self) -> usize {
        self.0.front().map_or(0, |gap| gap.lanes.iter().filter(|lane| lane.pages == 0).count())
    }

    /// The next page: of the newest gap's named kinds in turn, then of the next gap's, then of all the rest.
    pub(super) fn next(&mut self) -> Option<Ask> {
        let named = self.0.iter().position(|gap| gap.named().any(|lane| lane.end == End::Open));
        let at = named.or_else(|| self.0.iter().position(|gap| gap.lanes.iter().any(|lane| lane.end == End::Open)))?;
        let gap = self.0.get_mut(at)?;
        let lanes = if named.is_some() { gap.lanes.len() - 1 } else { gap.lanes.len() };
        let lane = (0..lanes).map(|step| (gap.turn + step) % lanes).find(|lane| gap.lanes[*lane].end == End::Open)?;
        gap.turn = lane + 1;
        let asked = &gap.lanes[lane];
        let lookup = Lookup { since: Some(gap.from), until: Some(gap.to), attribute: asked.attribute.clone() };
        Some(Ask { lookup, token: asked.token.clone(), gap: at, lane })
    }

    /// A page came: its oldest event, if it has any, and where the next begins.
    pub(super) fn learn(&mut self, ask: &Ask, oldest: Option<Timestamp>, next: Option<String>) {
        let Some(gap) = self.0.get_mut(ask.gap) else { return };
        let (from, Some(lane)) = (gap.from, gap.lanes.get_mut(ask.lane)) else { return };
        lane.pages += 1;
        // why after it: another page may begin with more of the same second.
        lane.reached = oldest.map_or(lane.reached, |oldest| oldest.plus_secs(1).min(lane.reached));
        (lane.end, lane.token) = match next {
            None => (End::Whole, None),
            Some(_) if lane.pages >= lane.most => (End::Enough, None),
            next => (End::Open, next),
        };
        if lane.end == End::Whole {
            lane.reached = from;
        }
        // why: who has everything has each kind too.
        if gap.lanes.last().is_some_and(|rest| rest.end == End::Whole) {
            gap.lanes.iter_mut().for_each(|lane| (lane.end, lane.reached) = (End::Whole, from));
        }
    }

    /// A page was refused although the service answers: the place of it is no longer good, so its kind is
    /// read again from the gap's newest on. What is here already is not told twice.
    pub(super) fn restart(&mut self, ask: &Ask) {
        if let Some(lane) = self.0.get_mut(ask.gap).and_then(|gap| gap.lanes.get_mut(ask.lane)) {
            lane.token = None;
            lane.pages += 1;
            lane.end = if lane.pages >= lane.most { End::Enough } else { End::Open };
        }
    }

    /// How it stands. `begin`: the beginning of all that is wanted.
    pub(super) fn state(&self, begin: Timestamp) -> Option<State> {
        let open = || self.0.iter().filter(|gap| gap.to > begin && !gap.is_whole());
        let all = open().filter_map(|gap| gap.lanes.last()).map(|rest| rest.reached).max()?;
        let named = open().flat_map(Gap::named).filter(|lane| lane.end != End::Whole).map(|lane| lane.reached).max();
        let goes_on = open().any(|gap| gap.lanes.iter().any(|lane| lane.end == End::Open));
        let looked = Looked { all, named: named.unwrap_or(begin).max(begin).min(all) };
        Some(State { looked, goes_on })
    }
}

impl Gap {
    fn named(&self) -> impl Iterator<Item = &Lane> {
        self.lanes.split_last().map_or(&[][..], |(_, named)| named).iter()
    }

    fn is_whole(&self) -> bool {
        self.lanes.iter().all(|lane| lane.end == End::Whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// One event of a history: when, its name, whether it only reads.
    type Record = (i64, &'static str, bool);

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    /// `LookupEvents` over a history that is newest first; returns the places of the events of a page.
    fn lookup(history: &[Record], ask: &Ask) -> (Vec<usize>, Option<String>) {
        let wanted = |(secs, name, reads): &Record| {
            let in_time =
                ask.lookup.since.is_some_and(|t| at(*secs) >= t) && ask.lookup.until.is_some_and(|t| at(*secs) <= t);
            in_time
                && match &ask.lookup.attribute {
                    Some(Attribute::Name(wanted)) => wanted == name,
                    Some(Attribute::ReadOnly(wanted)) => wanted == reads,
                    Some(_) => false,
                    None => true,
                }
        };
        let all: Vec<usize> = (0..history.len()).filter(|place| wanted(&history[*place])).collect();
        let from: usize = ask.token.as_deref().map_or(0, |token| token.parse().unwrap());
        let page = all.iter().skip(from).take(50).copied().collect();
        (page, (all.len() > from + 50).then(|| (from + 50).to_string()))
    }

    /// Asks for pages until `most` of them came or nothing remains; returns what was found in that order.
    fn fill(backfill: &mut Backfill, history: &[Record], most: usize) -> Vec<usize> {
        let mut found = Vec::new();
        for _ in 0..most {
            let Some(ask) = backfill.next() else { break };
            let (page, next) = lookup(history, &ask);
            backfill.learn(&ask, page.iter().map(|place| at(history[*place].0)).min(), next);
            found.extend(page);
        }
        found
    }

    /// Ten thousand reads of a scanner in a day, and among them what matters.
    fn busy() -> Vec<Record> {
        let mut history: Vec<Record> = (0..10_000).map(|n| (86_400 - n * 8, "DescribeKey", true)).collect();
        history.extend((0..120).map(|n| (80_000 - n * 600, "Decrypt", true)));
        history.extend([(3_000, "PutKeyPolicy", false), (2_000, "TagResource", false)]);
        history.sort_by_key(|(secs, ..)| std::cmp::Reverse(*secs));
        history
    }

    #[test]
    fn what_matters_is_found_behind_ten_thousand_reads_of_others() {
        let (history, mut backfill) = (busy(), Backfill::default());
        backfill.add(at(0), at(86_000));
        let first = backfill.first_pages() - 1;
        assert_eq!(first, NAMED.len() + 1, "one page of each kind, without the rest");
        let found = fill(&mut backfill, &history, first);
        let names: BTreeSet<_> = found.iter().map(|place| history[*place].1).collect();
        assert_eq!(names, BTreeSet::from(["Decrypt", "PutKeyPolicy", "TagResource"]));
        let state = backfill.state(at(0)).unwrap();
        // Decrypt has two more pages; its newest fifty go back so far.
        assert_eq!(
            state,
            State { looked: Looked { all: at(86_000), named: at(80_000 - 49 * 600 + 1) }, goes_on: true }
        );
        let more = fill(&mut backfill, &history, 2);
        assert!(more.iter().all(|place| history[*place].1 == "Decrypt"));
        assert_eq!(backfill.state(at(0)).unwrap().looked, Looked { all: at(86_000), named: at(0) });
    }

    #[test]
    fn the_rest_is_read_last_and_no_more_than_its_share() {
        let (history, mut backfill) = (busy(), Backfill::default());
        backfill.add(at(0), at(86_400));
        let found = fill(&mut backfill, &history, 10_000);
        let rest = found.iter().filter(|place| history[**place].1 == "DescribeKey").count();
        assert!((4_000..=5_000).contains(&rest), "{rest}");
        let state = backfill.state(at(0)).unwrap();
        assert!(!state.goes_on && state.looked.named == at(0));
        // Exactly the events from then on are here, no window is claimed that was not read.
        let all = state.looked.all;
        let held: BTreeSet<_> = found.into_iter().collect();
        assert!((0..history.len()).filter(|place| at(history[*place].0) >= all).all(|place| held.contains(&place)));
        assert!((40_000..60_000).contains(&(all.millis() / 1000)), "{all}");
    }

    #[test]
    fn a_gap_that_is_wholly_read_is_none() {
        let (history, mut backfill) = ([(50, "DescribeKey", true), (40, "CreateGrant", false)], Backfill::default());
        backfill.add(at(0), at(60));
        assert!(backfill.state(at(0)).is_some());
        let found: BTreeSet<_> = fill(&mut backfill, &history, 100).into_iter().collect();
        assert_eq!(found.len(), 2);
        assert_eq!(backfill.state(at(0)), None);
    }

    #[test]
    fn the_newest_gap_goes_first_and_the_old_are_forgotten() {
        let mut backfill = Backfill::default();
        backfill.add(at(0), at(100));
        backfill.add(at(500), at(600));
        assert_eq!(backfill.next().unwrap().lookup.until, Some(at(600)));
        assert_eq!(backfill.state(at(0)).unwrap().looked, Looked { all: at(600), named: at(600) });
        backfill.forget(at(200));
        fill(&mut backfill, &[], 100);
        assert_eq!(backfill.state(at(200)), None);
    }

    #[test]
    fn a_place_that_is_no_longer_good_is_given_up_after_its_share() {
        let mut backfill = Backfill::default();
        backfill.add(at(0), at(100));
        let mut asked = 0;
        while let Some(ask) = backfill.next() {
            backfill.restart(&ask);
            asked += 1;
        }
        assert_eq!(asked, u32::try_from(NAMED.len() + 1).unwrap() * OF_A_KIND + OF_THE_REST);
        let looked = backfill.state(at(0)).unwrap().looked;
        assert_eq!(looked, Looked { all: at(100), named: at(100) });
    }
}
