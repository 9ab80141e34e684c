//! What nobody could look at is not mended, and what cannot be done is not offered.

use super::fixture::*;
use crate::inventory::{SourceReport, Update};
use crate::posture::Assessment;
use crate::source::Message as FromSource;
use crate::tui::Question;
use crate::tui::driver::Driver;
use crate::tui::judged::Came;
use crate::tui::pane::Pane;

const FIRST: &str = "CUS-KMS-07/1";

fn without_the_first(question: &Question<'_>) -> Assessment {
    let mut assessment = judge(question);
    assessment.verdicts.retain(|verdict| verdict.id != FIRST);
    assessment
}

fn came(driver: &Driver) -> Vec<Came> {
    driver.model.judged.changes.iter().filter(|change| change.id == FIRST).map(|change| change.came).collect()
}

#[test]
fn what_could_not_be_read_is_not_closed_and_not_new_when_it_is_seen_again() {
    let mut driver = full(100, 30);
    let read = |driver: &mut Driver, judge: fn(&Question<'_>) -> Assessment, denied: bool| {
        driver.model.options.judge = judge;
        let needs = crate::posture::control("CUS-KMS-07").unwrap().needs();
        let reports = needs.enumerate().map(|(at, source)| {
            let failures = if denied && at == 0 { vec![error(source.name())] } else { Vec::new() };
            FromSource::Update(Box::new(Update::Source(SourceReport::sum(source, now(), 0, &failures))))
        });
        // Judged again even where nothing that was read differs.
        driver.model.stale = true;
        driver.receive(reports.map(envelope).collect::<Vec<_>>());
    };
    read(&mut driver, judge, false);
    assert_eq!(came(&driver), []);
    read(&mut driver, without_the_first, true);
    assert_eq!(came(&driver), [], "nobody could look: it is not closed");
    read(&mut driver, judge, false);
    assert_eq!(came(&driver), [], "it is seen again: it is not new");
    read(&mut driver, without_the_first, false);
    assert_eq!(came(&driver), [Came::Gone]);
    read(&mut driver, judge, false);
    assert_eq!(came(&driver), [Came::Back, Came::Gone]);
}

#[test]
fn the_footer_offers_nothing_that_cannot_be_done() {
    for keys in
        ["1", "1 c", "0", "0 enter", "i", "!", "5", "5 enter", "8", "8 enter", "9 enter", "2 enter", "5 L", "5 a"]
    {
        let mut driver = full(120, 30);
        driver.keys(keys);
        let footer = driver.screen().lines().last().unwrap().to_owned();
        for (offer, key) in
            [("e events", "e"), ("L lineage", "L"), ("o raw", "o"), ("Y copy ARN", "Y"), ("a who can", "a")]
        {
            if footer.contains(offer) {
                driver.keys(key);
                let told = driver.model.notice.take().map(|notice| notice.text).unwrap_or_default();
                assert!(!told.contains("under the cursor"), "{keys} then {key}: {told}");
                driver = full(120, 30);
                driver.keys(keys);
            }
        }
    }
}

#[test]
fn where_nothing_stands_is_last_either_way() {
    let mut driver = full(120, 30);
    let fixes = |driver: &mut Driver| {
        let list = driver.model.list().subjects.clone();
        let cell = |subject| crate::tui::pane::cells(&driver.model, Pane::Findings, subject)[6].text.clone();
        list.iter().map(cell).collect::<Vec<_>>()
    };
    driver.keys("2 s s s s s s s");
    assert_eq!(driver.model.list().sort, Some((6, false)));
    for _ in 0..2 {
        let all = fixes(&mut driver);
        let some = all.iter().take_while(|fix| *fix != "-").count();
        assert!(some > 0 && all[some..].iter().all(|fix| fix == "-"), "{all:?}");
        driver.keys("S");
    }
}
