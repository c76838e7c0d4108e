//! Resuming at every record: crashes that lose what is under way neither lose nor double an answer.

use super::*;

/// A journal as an engine would write it: random causes, answers recorded some records later in the order in which they
/// were given, and crashes that lose what is under way.
struct Sim {
    random: SplitMix,
    journal: Vec<Event>,
    venue: PaperVenue,
    under_way: VecDeque<Inbound>,
    epoch: u32,
    orders: u64,
    crashes: u32,
}

impl Sim {
    fn new(seed: u64) -> Self {
        let mut sim = Self {
            random: SplitMix::new(seed),
            journal: Vec::new(),
            venue: PaperVenue::new(FillSettings::default(), 1),
            under_way: VecDeque::new(),
            epoch: 1,
            orders: 0,
            crashes: 0,
        };
        sim.append(started(1));
        opening().into_iter().for_each(|event| sim.append(event));
        sim
    }

    fn append(&mut self, mut event: Event) {
        event.head.seq = self.journal.len() as u64 + 1;
        event.head.recv_ns = event.head.seq * 10;
        let mut out = Vec::new();
        self.venue.on_record(&event, &mut out);
        self.under_way.extend(out);
        self.journal.push(event);
    }

    fn cause(&mut self) -> Event {
        let random = &mut self.random;
        let px = random.between(95, 105) * dec("0.01");
        let some_order = 1 + random.below(self.orders.max(1));
        match random.below(20) {
            0..5 => {
                let (bid, ask) = (px, px + dec("0.01") * random.between(1, 3));
                let mut event = quote(0, "1x1", "1x1");
                let body: &mut Quote = event.body_mut();
                (body.bid, body.ask) = (bid, ask);
                (body.bid_qty, body.ask_qty) =
                    (random.between(0, 40) * dec("1"), random.between(0, 40) * dec("1"));
                event
            }
            5..7 => last(0, px),
            7 => cancel(some_order),
            8 => derived(Kind::CancelRequested, some_order),
            9 => derived(Kind::OrderExpired, some_order),
            10..12 => replace(some_order, random.between(1, 60) * dec("1"), px),
            12 => derived(Kind::OrderReleased, some_order),
            _ => {
                self.orders += 1;
                let side = [Side::Buy, Side::Sell, Side::SellShort][random.below(3) as usize];
                let ord_type = OrderType::ALL[random.below(4) as usize];
                let tif = TimeInForce::ALL[random.below(5) as usize];
                let mut body = new_order(
                    self.orders,
                    side,
                    ord_type,
                    tif,
                    random.between(1, 50) * dec("1"),
                    px,
                );
                body.stop_px = px + dec("0.01") * random.between(-3, 3);
                if random.chance(1, 5) {
                    body.view.state_after = OrderState::Held as u8;
                }
                body.expire_ns = (self.journal.len() as u64 + random.below(30)) * 10;
                record(Kind::OrderNew, &body)
            }
        }
    }

    fn step(&mut self) {
        match self.random.below(100) {
            0..2 => self.crash(),
            2..50 => self.record_answer(),
            _ => {
                let mut event = self.cause();
                if self.random.chance(1, 10) {
                    event.reject(RejectCode::Capacity);
                }
                self.append(event);
            }
        }
    }

    fn record_answer(&mut self) {
        let Some(answer) = self.under_way.pop_front() else {
            return;
        };
        let mut event = recorded(&answer);
        if self.random.chance(1, 10) {
            event.reject(RejectCode::StateMismatch);
        }
        self.append(event);
    }

    fn crash(&mut self) {
        self.crashes += 1;
        self.epoch += 1;
        self.under_way.clear();
        let (venue, out) = rebuilt(&self.journal, self.epoch);
        assert!(out.is_empty() && venue.is_catching_up());
        self.venue = venue;
        self.append(started(self.epoch));
    }
}

/// A venue that has read a journal, and what it said meanwhile.
fn rebuilt(journal: &[Event], epoch: u32) -> (PaperVenue, Vec<Inbound>) {
    let (mut venue, mut out) = (PaperVenue::new(FillSettings::default(), epoch), Vec::new());
    journal.iter().for_each(|event| venue.on_record(event, &mut out));
    (venue, out)
}

/// Every byte of answers that a source gives.
fn inputs<'a>(answers: impl IntoIterator<Item = &'a Inbound>) -> Vec<Vec<u8>> {
    answers
        .into_iter()
        .map(|answer| input(&recorded(answer)))
        .collect()
}

fn input(event: &Event) -> Vec<u8> {
    let mut bytes = event.head.kind.to_le_bytes().to_vec();
    bytes.extend_from_slice(&event.head.origin_ns.to_le_bytes());
    bytes.extend_from_slice(&event.body_bytes()[..event.kind().unwrap().input_len()]);
    bytes
}

fn recorded_answers(journal: &[Event]) -> Vec<Vec<u8>> {
    let answers = journal
        .iter()
        .filter(|event| AnswerKey::of_record(event).is_some());
    answers.map(input).collect()
}

#[test]
fn crashes_neither_lose_nor_double_an_answer() {
    for seed in 0..20 {
        let mut sim = Sim::new(seed);
        (0..1_500).for_each(|_| sim.step());
        while !sim.under_way.is_empty() {
            sim.record_answer();
        }
        assert!(sim.crashes > 5, "seed {seed}");
        // A venue that never crashed gives each answer once.
        let (undisturbed, expected) = rebuilt(&sim.journal, 1);
        assert!(expected.len() > 500, "seed {seed}");
        assert_eq!(recorded_answers(&sim.journal), inputs(&expected), "seed {seed}");
        assert_eq!(sim.venue.counts().foreign, 0, "seed {seed}");
        assert_eq!(
            sim.venue.counts().open_orders,
            undisturbed.counts().open_orders,
            "seed {seed}"
        );
    }
}

#[test]
fn a_venue_cut_off_anywhere_gives_exactly_the_missing_answers() {
    let mut sim = Sim::new(99);
    (0..500).for_each(|_| sim.step());
    for cut in 1..=sim.journal.len() {
        let journal = &sim.journal[..cut];
        let (_, expected) = rebuilt(journal, 1);
        let (mut venue, mut out) = rebuilt(journal, u32::MAX);
        assert!(out.is_empty());
        let waiting = venue.counts().waiting;
        venue.on_record(&started(u32::MAX), &mut out);
        // The restart itself lets time pass for nobody here: its record has no time.
        assert_eq!(out.len() as u64, waiting);
        let mut total = recorded_answers(journal);
        total.extend(inputs(&out));
        assert_eq!(total, inputs(&expected), "cut after record {cut}");
    }
}

#[test]
fn fills_never_exceed_the_order_and_end_it_when_they_reach_it() {
    let mut sim = Sim::new(5);
    (0..5_000).for_each(|_| sim.step());
    let (_, answers) = rebuilt(&sim.journal, 1);
    let mut qty: BTreeMap<OrderId, i64> = BTreeMap::new();
    let mut answers = inputs_by_order(&answers);
    for event in sim.journal.iter().filter(|event| !event.is_rejected()) {
        match event.kind() {
            Some(Kind::OrderNew) => {
                let body: &OrderNew = event.body();
                qty.insert(body.view.order_id, body.qty);
            }
            Some(Kind::OrderReplace) => {
                let body: &OrderReplace = event.body();
                let most = qty.entry(body.view.order_id).or_default();
                *most = body.qty.max(*most);
            }
            _ => {}
        }
    }
    for (order, most) in qty {
        let filled = answers.remove(&order).unwrap_or(0);
        assert!(filled <= most, "{order}: {filled} of {most}");
    }
    assert!(answers.is_empty(), "fills without an order");
}

fn inputs_by_order(answers: &[Inbound]) -> BTreeMap<OrderId, i64> {
    let mut filled = BTreeMap::new();
    for event in answers
        .iter()
        .map(recorded)
        .filter(|event| event.kind() == Some(Kind::VenueFill))
    {
        let fill: &Execution = event.body();
        *filled.entry(fill.order_id).or_insert(0) += fill.qty;
    }
    filled
}

#[test]
fn a_recorded_answer_that_this_version_would_not_have_made_wins() {
    let order = new_order(
        1,
        Side::Buy,
        OrderType::Limit,
        TimeInForce::Gtc,
        dec("10"),
        dec("10"),
    );
    let mut journal = opening();
    journal.push(record(Kind::OrderNew, &order));
    let mut fill = Execution {
        order_id: OrderId::new(0, 1),
        qty: dec("4"),
        venue: PAPER_VENUE,
        state_after: OrderState::Working as u8,
        ..Execution::zeroed()
    };
    journal.push(record(Kind::VenueFill, &fill));
    journal.push(quote(0, "9x1", "10x100"));
    let (venue, _) = rebuilt(&journal, RUN);
    assert_eq!((venue.counts().foreign, venue.counts().open_orders), (1, 0));
    let last_qty = |journal: &[Event]| {
        let (mut venue, mut out) = rebuilt(journal, RUN);
        venue.on_record(&started(RUN), &mut out);
        shown(&out)
    };
    assert_eq!(last_qty(&journal), "ack 1, fill 1 6@10 maker");
    // Closed by its record: whatever this version would have said about the order is void.
    fill.state_after = OrderState::Filled as u8;
    journal.push(record(Kind::VenueFill, &fill));
    assert_eq!(last_qty(&journal), "");
}
