//! The foot of the run page: when much happened, and the slider through it.

use std::time::Duration;

use leptos::{ev, leptos_dom::helpers::IntervalHandle, prelude::*};

use super::{
    log::Loading,
    screen::Screen,
    travel::axis::{Axis, COLUMNS},
};
use crate::{
    browser,
    components::icon::{Icon, IconName},
    live::OldSince,
};

/// Between two pictures while it plays.
const TICK: Duration = Duration::from_millis(100);
/// Height of the picture of density, in its own units.
const HEIGHT: f64 = 24.0;
const SPEEDS: [u32; 4] = [1, 4, 16, 64];

/// Density of events, slider, play, step, speed, and the way back to now.
#[component]
pub fn TimeBar(screen: Screen) -> impl IntoView {
    let travel = screen.travel;
    let player = Player::new(screen);
    let is_ready = Memo::new(move |_| screen.log.loading.with(|loading| *loading == Loading::Done));
    let is_over = Memo::new(move |_| screen.live.view.with(|view| view.summary.finished_at.is_some()));
    let is_old = OldSince::is_old();
    let length = move || travel.axis.with(Axis::length).max(1);
    let place = move || {
        let at = travel.position();
        travel.axis.with(|axis| axis.position(at))
    };
    let words = move || {
        let (at, newest) = (travel.position(), travel.newest());
        let moment = travel.moment().map(|moment| format!(", {} UTC", moment.clock())).unwrap_or_default();
        format!("event {at} of {newest}{moment}")
    };
    let slide = move |event: ev::Event| {
        player.pause();
        if let Ok(place) = event_target_value(&event).parse() {
            travel.go(travel.axis.with_untracked(|axis| axis.event_at(place)));
        }
    };
    let key = move |event: ev::KeyboardEvent| {
        match event.key().as_str() {
            "ArrowLeft" | "ArrowDown" => travel.step(-1),
            "ArrowRight" | "ArrowUp" => travel.step(1),
            "PageUp" => travel.step(20),
            "PageDown" => travel.step(-20),
            "Home" => travel.go(1),
            "End" => travel.go_live(),
            " " => player.toggle(),
            _ => return,
        }
        if event.key() != " " {
            player.pause();
        }
        event.prevent_default();
        event.stop_propagation();
    };
    let class = move || if travel.is_past() { "time-bar past" } else { "time-bar" };
    view! {
        <section class=class aria-label="Time">
            <div class="time-acts">
                <button
                    type="button"
                    class="icon-button round"
                    aria-label=move || if player.playing.get() { "Pause" } else { "Play" }
                    disabled=move || !is_ready.get()
                    on:click=move |_| player.toggle()
                >
                    {move || view! { <Icon name=if player.playing.get() { IconName::Pause } else { IconName::Play } /> }}
                </button>
                <button type="button" class="icon-button step" aria-label="One event back" disabled=move || !is_ready.get() on:click=move |_| { player.pause(); travel.step(-1) }>
                    <Icon name=IconName::StepBack />
                </button>
                <button type="button" class="icon-button step" aria-label="One event on" disabled=move || !is_ready.get() || !travel.is_past() on:click=move |_| { player.pause(); travel.step(1) }>
                    <Icon name=IconName::StepOn />
                </button>
                <label class="speed">
                    <span class="visually-hidden">"Speed"</span>
                    <select class="input" on:change=move |event| player.speed.set(event_target_value(&event).parse().unwrap_or(4))>
                        {SPEEDS.map(|speed| view! { <option value=speed.to_string() selected=speed == 4>{format!("{speed}×")}</option> }).collect_view()}
                    </select>
                </label>
            </div>
            <div class="time-track">
                <Density screen />
                <input
                    type="range"
                    id="time-slider"
                    aria-label="Event"
                    aria-valuetext=words
                    min="0"
                    max=move || length().to_string()
                    prop:value=move || place().to_string()
                    disabled=move || !is_ready.get()
                    on:input=slide
                    on:keydown=key
                />
            </div>
            <div class="time-end">
                <button
                    type="button"
                    class="live-chip"
                    aria-pressed=move || (!travel.is_past()).to_string()
                    on:click=move |_| {
                        player.pause();
                        travel.go_live();
                        browser::focus_id("time-slider");
                    }
                >
                    <Icon name=IconName::CircleDot />
                    {move || if is_over.get() || is_old() { "Latest" } else { "Live" }}
                </button>
                <span class="time-words mono dim">{move || match screen.log.loading.get() {
                    Loading::Failed(_) => "log not loaded".to_owned(),
                    _ => format!("event {}", travel.position()),
                }}</span>
            </div>
        </section>
    }
}

/// How much happened when.
#[component]
fn Density(screen: Screen) -> impl IntoView {
    // While the run works once a second, as it takes a look at every event.
    let drawing = Memo::new(move |_| {
        screen.clock.track();
        screen.log.loading.track();
        screen.travel.axis.with_untracked(bars)
    });
    let view_box = format!("0 0 {COLUMNS} {HEIGHT}");
    view! {
        <svg class="density" viewBox=view_box preserveAspectRatio="none" aria-hidden="true">
            <path d=drawing />
        </svg>
    }
}

fn bars(axis: &Axis) -> String {
    let density = axis.density();
    let most = f64::from(density.iter().copied().max().unwrap_or(0).max(1));
    let bar = |(column, count): (usize, &u32)| {
        // The root lets one event be seen beside hundreds.
        let height = (f64::from(*count) / most).sqrt() * HEIGHT;
        (*count > 0).then(|| format!("M{column}.1 {HEIGHT}v-{height:.1}h.8v{height:.1}z"))
    };
    density.iter().enumerate().filter_map(bar).collect()
}

/// Moves on by itself.
#[derive(Clone, Copy)]
struct Player {
    screen: Screen,
    playing: RwSignal<bool>,
    speed: RwSignal<u32>,
    place: StoredValue<u64>,
    interval: StoredValue<Option<IntervalHandle>>,
}

impl Player {
    fn new(screen: Screen) -> Self {
        let player = Self {
            screen,
            playing: RwSignal::new(false),
            speed: RwSignal::new(4),
            place: StoredValue::new(0),
            interval: StoredValue::new(None),
        };
        on_cleanup(move || player.stop_clock());
        player
    }

    fn toggle(self) {
        if self.playing.get_untracked() { self.pause() } else { self.play() }
    }

    /// Plays from where the page stands; from the beginning where that is the end.
    fn play(self) {
        let travel = self.screen.travel;
        if untrack(|| !travel.is_past() || travel.position() >= travel.newest()) {
            travel.go(1);
        }
        let at = untrack(|| travel.position());
        self.place.set_value(travel.axis.with_untracked(|axis| axis.position(at)));
        self.playing.set(true);
        self.interval.set_value(set_interval_with_handle(move || self.tick(), TICK).ok());
    }

    fn tick(self) {
        let travel = self.screen.travel;
        let Some(speed) = self.speed.try_get_untracked() else { return };
        let step = u64::from(speed) * TICK.as_millis() as u64;
        let Some(place) = self.place.try_update_value(|place| {
            *place += step;
            *place
        }) else {
            return;
        };
        let (next, end) = travel.axis.with_untracked(|axis| (axis.event_at(place), axis.length()));
        if place >= end {
            self.pause();
            travel.go_live();
        } else {
            travel.go(next);
        }
    }

    fn pause(self) {
        self.stop_clock();
        if self.playing.try_get_untracked() == Some(true) {
            self.playing.set(false);
        }
    }

    fn stop_clock(self) {
        if let Some(interval) = self.interval.try_update_value(Option::take).flatten() {
            interval.clear();
        }
    }
}
