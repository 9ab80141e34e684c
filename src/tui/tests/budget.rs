//! What a frame costs in bytes, through the real backend into a buffer that counts.

use std::io::Write;
use std::sync::{Arc, Mutex};

use ratatui::Terminal;
use ratatui::backend::{Backend, ClearType, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};

use super::fixture::{envelope, full, key_arn, updates};
use crate::inventory::{Items, Kind, ResourceRef, Update};
use crate::source::Message as FromSource;
use crate::tui::driver::Driver;
use crate::tui::message::Message;
use crate::tui::pane;
use crate::tui::thrift::Thrifty;
use crate::tui::view::view;

#[derive(Clone, Default)]
struct Bytes(Arc<Mutex<Vec<u8>>>);

impl Write for Bytes {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The real backend with a size of its own.
struct Counting(Thrifty<Bytes>, Size);

impl Backend for Counting {
    type Error = std::io::Error;

    fn draw<'a, I: Iterator<Item = (u16, u16, &'a Cell)>>(&mut self, content: I) -> Result<(), Self::Error> {
        self.0.draw(content)
    }
    fn hide_cursor(&mut self) -> Result<(), Self::Error> {
        self.0.hide_cursor()
    }
    fn show_cursor(&mut self) -> Result<(), Self::Error> {
        self.0.show_cursor()
    }
    fn get_cursor_position(&mut self) -> Result<Position, Self::Error> {
        Ok(Position::ORIGIN)
    }
    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> Result<(), Self::Error> {
        self.0.set_cursor_position(position)
    }
    fn clear(&mut self) -> Result<(), Self::Error> {
        self.0.clear()
    }
    fn clear_region(&mut self, region: ClearType) -> Result<(), Self::Error> {
        self.0.clear_region(region)
    }
    fn size(&self) -> Result<Size, Self::Error> {
        Ok(self.1)
    }
    fn window_size(&mut self) -> Result<WindowSize, Self::Error> {
        Ok(WindowSize { columns_rows: self.1, pixels: Size::ZERO })
    }
    fn flush(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

struct Counter {
    terminal: Terminal<Counting>,
    bytes: Bytes,
}

impl Counter {
    fn new(driver: &Driver) -> Self {
        let bytes = Bytes::default();
        let (width, height) = driver.model.size;
        let backend = Counting(Thrifty::new(bytes.clone()), Size::new(width, height));
        Self { terminal: Terminal::new(backend).unwrap(), bytes }
    }

    /// Draws as the runtime does: only if something changed.
    fn draw(&mut self, driver: &mut Driver) -> usize {
        if !std::mem::take(&mut driver.model.dirty) {
            return 0;
        }
        driver.model.drawn();
        self.terminal.draw(|frame| view(&driver.model, frame)).unwrap();
        std::mem::take(&mut *self.bytes.0.lock().unwrap()).len()
    }
}

fn press(driver: &mut Driver, key: &str) {
    let key: crate::tui::keymap::Key = key.parse().unwrap();
    driver.send(Message::Key(key.event()));
}

#[test]
fn a_step_of_the_cursor_is_cheap_and_nothing_costs_nothing() {
    for key in ["2", "3", "4", "5", "6", "7", "8", "9", "0"] {
        let mut driver = full(120, 40);
        driver.keys(key);
        let mut counter = Counter::new(&driver);
        driver.model.dirty = true;
        let first = counter.draw(&mut driver);
        assert!(first > 1000 && first < 16_000, "{key}: first frame {first}");
        assert_eq!(counter.draw(&mut driver), 0, "{key}: nothing changed");
        driver.send(Message::Tick);
        assert_eq!(counter.draw(&mut driver), 0, "{key}: a second passed");
        press(&mut driver, "j");
        let step = counter.draw(&mut driver);
        assert!(step > 0 && step <= 400, "{key}: cursor step {step}");
    }
}

/// Steps through a whole list, the box following each, costs this much a step.
#[test]
fn a_step_and_the_box_that_follows_it_stay_cheap() {
    for (key, most) in [("2", 1100), ("3", 2000), ("4", 2000), ("5", 2000), ("6", 2000), ("7", 2000)] {
        let mut driver = full(120, 40);
        driver.keys(key);
        let mut counter = Counter::new(&driver);
        driver.model.dirty = true;
        counter.draw(&mut driver);
        let steps = driver.model.list().subjects.len() - 1;
        let mut total = 0;
        for _ in 0..steps {
            press(&mut driver, "j");
            total += counter.draw(&mut driver);
            driver.send(Message::Rested);
            total += counter.draw(&mut driver);
        }
        assert!(steps == 0 || total / steps <= most, "{key}: {} bytes a step", total / steps);
    }
}

#[test]
fn a_spinner_and_an_age_cost_a_few_bytes() {
    let mut driver = full(120, 40);
    let mut counter = Counter::new(&driver);
    driver.receive([envelope(FromSource::Busy(true))]);
    counter.draw(&mut driver);
    driver.send(Message::Tick);
    let spin = counter.draw(&mut driver);
    assert!(spin > 0 && spin <= 60, "spinner {spin}");
    driver.receive([envelope(FromSource::Busy(false))]);
    counter.draw(&mut driver);
    let mut total = 0;
    for _ in 0..10 {
        driver.model.options.clock.advance(std::time::Duration::from_secs(1));
        driver.send(Message::Tick);
        total += counter.draw(&mut driver);
    }
    assert!(total > 0 && total <= 240, "ten seconds of ages: {total}");
}

#[test]
fn an_update_that_changes_nothing_draws_nothing() {
    let mut driver = full(120, 40);
    let mut counter = Counter::new(&driver);
    driver.model.dirty = true;
    counter.draw(&mut driver);
    driver.receive(updates().into_iter().map(|update| envelope(FromSource::Update(Box::new(update)))));
    assert_eq!(counter.draw(&mut driver), 0);
}

#[test]
fn only_rows_that_are_seen_are_made() {
    let mut driver = full(120, 40);
    let job = driver.model.inventory.jobs.values().next().unwrap().clone();
    let many = (0..5000).map(|n| {
        let mut job = job.clone();
        job.arn = super::fixture::job_arn(&format!("j{n:05}"));
        job
    });
    driver.receive([envelope(FromSource::Update(Box::new(Update::Listed(Items::Job(many.collect())))))]);
    driver.keys("3");
    let made = pane::made();
    driver.keys("G");
    driver.frame();
    let rows = pane::made() - made;
    assert!(rows > 10 && rows <= 40, "{rows} rows for 40 lines");
    driver.frame();
    assert_eq!(pane::made() - made, rows, "a frame more makes no row anew");
    assert!(driver.model.inventory.holds(&ResourceRef::new(Kind::Key, key_arn("orion-chat"))));
}
