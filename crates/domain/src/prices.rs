//! What models cost: dated, versioned lists. Everything is whole millionths of a US dollar; a call's cost is rounded up once.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::Time;

/// Tokens for which a price is given: a million, as providers' price pages have it.
const PER: i128 = 1_000_000;
/// The largest price: a dollar a token.
pub const HIGHEST: i64 = 1_000_000_000_000;
/// Tokens held for an answer whose caller names no limit and whose price names none.
const USUAL_ANSWER: u64 = 4096;
/// The most that a call can cost: ten million dollars. Sums of what is dearer would not fit into a whole number some day.
const DEAREST: i64 = 10_000_000_000_000;
/// The most tokens that a call is believed to have read, or written.
pub const MOST_TOKENS: u64 = 1_000_000_000;
/// The most tokens that a picture counts as with any model whose provider says so, a little rounded up: `gpt-4o-mini` with eight tiles.
const USUAL_PICTURE: u64 = 50_000;

/// How a version begins that is no list's: no list's may hold a colon.
const OWN: &str = "own:";

/// Tokens that a call used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TokenCount {
    /// Read, cached and cache-written ones included.
    pub input: u64,
    /// Of these, from the provider's cache.
    pub cached: u64,
    /// Of these, written to the provider's cache.
    pub written: u64,
    /// Of those written, for an hour in place of a few minutes.
    pub written_long: u64,
    /// Written as the answer, reasoning included.
    pub output: u64,
}

/// What a model costs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// The model's name at the provider; all that begin so when it ends in `*`; that of its dated snapshots, too, when it ends in `@`.
    pub model: String,
    /// Millionths of a dollar for a million tokens read.
    pub input: i64,
    /// The same, from the provider's cache.
    #[serde(default)]
    pub cached: Option<i64>,
    /// The same, written to the provider's cache.
    #[serde(default)]
    pub write: Option<i64>,
    /// The same, written to the provider's cache for an hour; as `write` when left out.
    #[serde(default)]
    pub write_long: Option<i64>,
    /// Millionths of a dollar for a million tokens written.
    pub output: i64,
    /// Millionths of a dollar for a call.
    #[serde(default)]
    pub request: i64,
    /// Tokens held for an answer whose caller names no limit.
    #[serde(default)]
    pub answer: Option<u64>,
    /// The most tokens that one picture counts as.
    #[serde(default)]
    pub picture: Option<u64>,
    /// Percent of the price for each service tier.
    #[serde(default)]
    pub tiers: BTreeMap<String, u32>,
}

impl Price {
    /// Tokens to hold for an answer whose caller names no limit.
    #[must_use]
    pub fn usual_answer(&self) -> u64 {
        self.answer.unwrap_or(USUAL_ANSWER)
    }

    /// The most tokens that one picture counts as.
    #[must_use]
    pub fn picture_bound(&self) -> u64 {
        self.picture.unwrap_or(USUAL_PICTURE)
    }

    /// What a call costs, in millionths of a dollar, rounded up; ten million dollars at the most.
    #[must_use]
    pub fn cost(&self, tokens: TokenCount, percent: u32) -> i64 {
        let (cached, written) = (tokens.cached.min(tokens.input), tokens.written.min(tokens.input));
        let long = tokens.written_long.min(written);
        let plain = tokens.input.saturating_sub(cached).saturating_sub(written);
        let part = |count: u64, price: i64| i128::from(count) * i128::from(price);
        let read = part(plain, self.input)
            + part(cached, self.cached.unwrap_or(self.input))
            + part(written - long, self.write())
            + part(long, self.write_long());
        self.total(read, tokens.output, percent)
    }

    /// What a call costs whose reading costs so much, in millionths of its unit.
    fn total(&self, read: i128, output: u64, percent: u32) -> i64 {
        let sum = read + i128::from(output) * i128::from(self.output) + i128::from(self.request) * PER;
        let exact = sum * i128::from(percent);
        let whole = exact.div_euclid(PER * 100) + i128::from(exact.rem_euclid(PER * 100) > 0);
        i64::try_from(whole).unwrap_or(DEAREST).min(DEAREST)
    }

    /// For tokens written to the provider's cache.
    #[must_use]
    pub fn write(&self) -> i64 {
        self.write.unwrap_or(self.input)
    }

    /// For tokens written to the provider's cache for an hour.
    #[must_use]
    pub fn write_long(&self) -> i64 {
        self.write_long.unwrap_or(self.write())
    }

    /// The most that so many tokens read and written can cost: all of them at the dearest rate for reading. Only who asks for it has
    /// something cached for an hour.
    #[must_use]
    pub fn worst(&self, input: u64, output: u64, percent: u32, for_an_hour: bool) -> i64 {
        let written = if for_an_hour { self.write().max(self.write_long()) } else { self.write() };
        let dearest = self.input.max(self.cached.unwrap_or(0)).max(written);
        self.total(i128::from(input) * i128::from(dearest), output, percent)
    }

    /// Whether nothing that is read, written or asked costs anything.
    #[must_use]
    pub fn is_free(&self) -> bool {
        let read = [self.input, self.cached.unwrap_or(0), self.write(), self.write_long()];
        read.iter().chain([&self.output, &self.request]).all(|amount| *amount == 0)
    }

    /// Percent of the price at a service tier; none when it is not known.
    #[must_use]
    pub fn tier(&self, name: Option<&str>) -> Option<u32> {
        match name {
            None | Some("default") => Some(self.tiers.get("default").copied().unwrap_or(100)),
            // The provider chooses: at worst the dearest.
            Some("auto") => Some(self.tiers.values().copied().max().unwrap_or(100)),
            Some(name) => self.tiers.get(name).copied(),
        }
    }

    /// So much for tokens, and nothing else.
    #[must_use]
    pub fn flat(model: &str, input: i64, output: i64) -> Self {
        let (cached, write, write_long, answer, picture) = (None, None, None, None, None);
        Self {
            model: model.into(),
            input,
            cached,
            write,
            write_long,
            output,
            request: 0,
            answer,
            picture,
            tiers: BTreeMap::new(),
        }
    }

    /// Stands on usage rows in the place of a list's version when the price was one that the key's owner named: such prices stand in
    /// no list, so the row tells them itself.
    fn own_version(&self) -> String {
        let cached = self.cached.map(|cached| format!("/{cached}")).unwrap_or_default();
        format!("{OWN}{}/{}{cached}", self.input, self.output)
    }

    fn from_own(model: &str, version: &str) -> Option<Self> {
        let amounts: Option<Vec<i64>> = version.split('/').map(|amount| amount.parse().ok()).collect();
        match amounts?[..] {
            [input, output] => Some(Self::flat(model, input, output)),
            [input, output, cached] => Some(Self { cached: Some(cached), ..Self::flat(model, input, output) }),
            _ => None,
        }
    }

    fn fits(&self, model: &str) -> Option<usize> {
        if let Some(start) = self.model.strip_suffix('*') {
            return model.starts_with(start).then_some(start.len());
        }
        // A whole name counts for more than any beginning of it.
        let name = self.model.strip_suffix('@').unwrap_or(&self.model);
        let rest = model.strip_prefix(name)?;
        (rest.is_empty() || name.len() < self.model.len() && is_snapshot(rest)).then_some(usize::MAX)
    }

    /// The name without what stands for more of them.
    fn stem(&self) -> &str {
        self.model.strip_suffix(['*', '@']).unwrap_or(&self.model)
    }
}

/// Whether this, behind a model's name, makes it the name of a snapshot of it: `-2024-07-18`, `-20250514` or `-latest`.
fn is_snapshot(rest: &str) -> bool {
    let Some(rest) = rest.strip_prefix('-') else { return false };
    let digits: String = rest.split('-').collect();
    rest == "latest"
        || matches!(rest.len(), 8 | 10) && digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_digit())
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    version: String,
    from: String,
    #[serde(default)]
    ceiling: Option<Ceiling>,
    #[serde(default)]
    exchange: Vec<Rate>,
    #[serde(default, rename = "price")]
    prices: Vec<Price>,
}

/// What a model without a price is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ceiling {
    input: i64,
    output: i64,
}

/// A rate of exchange.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// The currency.
    pub currency: crate::money::Currency,
    /// Millionths of it for one US dollar.
    pub per_dollar: i64,
    /// Who said so.
    pub source: String,
    /// When they said so, RFC 3339.
    pub at: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default, rename = "list")]
    lists: Vec<List>,
}

/// A list that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidPrices(String);

/// All lists: those that come with Rowhouse, and the operator's on top.
#[derive(Debug, Clone)]
pub struct Prices {
    /// By when they begin, the earliest first.
    builtin: Vec<(Time, List)>,
    operator: Vec<(Time, List)>,
}

/// What a model costs, and by which lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// The price.
    pub price: Price,
    /// The versions of the lists, for the usage row.
    pub version: String,
}

impl Prices {
    /// The lists that come with Rowhouse.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "a test reads the same file")]
    pub fn builtin() -> Self {
        let builtin =
            read(include_str!("../data/prices.toml")).expect("the price list that comes with Rowhouse is right");
        Self { builtin, operator: Vec::new() }
    }

    /// The same with an operator's file on top.
    /// # Errors
    /// [`InvalidPrices`] says what is wrong.
    pub fn with(mut self, text: &str) -> Result<Self, InvalidPrices> {
        self.operator = read(text)?;
        Ok(self)
    }

    /// What a model costs at a time; none when nobody knows.
    #[must_use]
    pub fn quote(&self, model: &str, at: Time) -> Option<Quote> {
        self.quote_or(model, None, at)
    }

    /// The same for whoever names a price of their own, since they pay the provider themselves: it counts for what no list knows.
    #[must_use]
    pub fn quote_or(&self, model: &str, own: Option<&Price>, at: Time) -> Option<Quote> {
        quote_from(model, own, current(&self.operator, at), current(&self.builtin, at))
    }

    /// What a model cost by the versions that stand on a usage row.
    #[must_use]
    pub fn quote_of(&self, model: &str, version: &str) -> Option<Quote> {
        if let Some(own) = version.strip_prefix(OWN) {
            return Some(Quote { price: Price::from_own(model, own)?, version: version.to_owned() });
        }
        let (builtin, operator) =
            version.split_once('+').map_or((version, None), |(builtin, own)| (builtin, Some(own)));
        let find = |lists: &'_ [(Time, List)], name: &str| lists.iter().position(|(_, list)| list.version == name);
        let builtin = find(&self.builtin, builtin).map(|at| &self.builtin[at].1);
        let operator = match operator {
            Some(name) => Some(&self.operator[find(&self.operator, name)?].1),
            None => None,
        };
        quote_from(model, None, operator, builtin)
    }

    /// Names that the lists in force at a time know; those that stand for more than one are given without their last sign.
    #[must_use]
    pub fn names(&self, at: Time) -> Vec<&str> {
        let lists = [current(&self.operator, at), current(&self.builtin, at)];
        let mut names: Vec<&str> = lists.into_iter().flatten().flat_map(|list| &list.prices).map(Price::stem).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The rate of exchange of a currency at a time, as the operator's list has it.
    #[must_use]
    pub fn rate(&self, currency: crate::money::Currency, at: Time) -> Option<(Rate, Time)> {
        let list = current(&self.operator, at)?;
        let rate = list.exchange.iter().find(|rate| rate.currency == currency)?;
        Some((rate.clone(), time(&rate.at)?))
    }
}

fn quote_from(model: &str, own: Option<&Price>, operator: Option<&List>, builtin: Option<&List>) -> Option<Quote> {
    let best = |list: &List| {
        let fitting = list.prices.iter().filter_map(|price| Some((price.fits(model)?, price)));
        fitting.max_by_key(|(length, _)| *length).map(|(_, price)| price.clone())
    };
    let listed = operator.and_then(best).or_else(|| builtin.and_then(best));
    if let (None, Some(own)) = (&listed, own) {
        return Some(Quote { price: own.clone(), version: own.own_version() });
    }
    let ceiling = || operator?.ceiling.map(|Ceiling { input, output }| Price::flat(model, input, output));
    let price = listed.or_else(ceiling)?;
    let builtin = builtin.map_or("", |list| &list.version);
    let version = operator.map_or_else(|| builtin.to_owned(), |list| format!("{builtin}+{}", list.version));
    Some(Quote { price, version })
}

fn current(lists: &[(Time, List)], at: Time) -> Option<&List> {
    lists.iter().rev().find(|(from, _)| *from <= at).map(|(_, list)| list)
}

fn time(text: &str) -> Option<Time> {
    text.parse::<jiff::Timestamp>().ok().map(|time| Time::from_micros(time.as_microsecond()))
}

fn read(text: &str) -> Result<Vec<(Time, List)>, InvalidPrices> {
    let file: File = toml::from_str(text).map_err(|error| InvalidPrices(error.to_string()))?;
    let mut lists = Vec::new();
    for list in file.lists {
        let version = &list.version;
        let wrong = |what: String| Err(InvalidPrices(format!("list {version:?}: {what}")));
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-');
        if !(1..=40).contains(&version.len()) || !version.chars().all(plain) {
            return wrong("its version must be 1 to 40 of a-z, 0-9, `.`, `_` and `-`".into());
        }
        if lists.iter().any(|(_, other): &(Time, List)| other.version == *version) {
            return wrong("there are two of this version".into());
        }
        let Some(from) = time(&list.from) else {
            return wrong("`from` must be a time such as 2026-11-01T00:00:00Z".into());
        };
        for price in &list.prices {
            let all = [
                Some(price.input),
                price.cached,
                price.write,
                price.write_long,
                Some(price.output),
                Some(price.request),
            ];
            if all.into_iter().flatten().any(|amount| !(0..=HIGHEST).contains(&amount)) {
                return wrong(format!("model {:?}: a price must be from 0 to {HIGHEST}", price.model));
            }
            if price.model.is_empty() || price.model == "@" || price.stem().contains(['*', '@']) {
                return wrong(format!("model {:?}: must be a name, with `*` or `@` at its end alone", price.model));
            }
            if price.answer == Some(0) || price.tiers.values().any(|percent| *percent > 10_000) {
                return wrong(format!("model {:?}: `answer` is at least 1, a tier at most 10000 percent", price.model));
            }
        }
        if let Some(rate) = list.exchange.iter().find(|rate| rate.per_dollar <= 0 || time(&rate.at).is_none()) {
            return wrong(format!("the rate of {} must be above 0 and say when it held", rate.currency));
        }
        lists.push((from, list));
    }
    lists.sort_by_key(|(from, _)| *from);
    Ok(lists)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time::from_micros(1_795_000_000_000_000);

    fn tokens(input: u64, cached: u64, output: u64) -> TokenCount {
        TokenCount { input, cached, output, ..TokenCount::default() }
    }

    #[test]
    fn the_longest_name_that_fits_has_the_price() {
        let prices = Prices::builtin();
        let input = |model: &str| prices.quote(model, NOW).map(|quote| quote.price.input);
        assert_eq!(input("gpt-4o"), Some(2_500_000));
        assert_eq!(input("gpt-4o-mini-2024-07-18"), Some(150_000));
        assert_eq!(input("gpt-4.1-nano"), Some(100_000));
        assert_eq!(input("no-such-model"), None, "an unknown price is no price");
        assert_eq!(input("rowhouse-extractive-2"), None, "a whole name is no beginning");
        // Snapshots cost what their model costs; another model whose name begins so may cost a multiple.
        assert_eq!(["gpt-5-2025-08-07", "claude-haiku-4-5-20251001"].map(input), [Some(1_250_000), Some(1_000_000)]);
        assert_eq!(input("claude-3-5-haiku-latest"), Some(800_000));
        for other in ["gpt-5-pro", "gpt-5.9", "gpt-4o-audio-preview", "gpt-4o-mini-search-preview", "gpt-5-20250807x"] {
            assert_eq!(input(other), None, "{other}");
        }
    }

    #[test]
    fn a_picture_counts_as_much_as_its_provider_says_at_most() {
        let bound = |model: &str| Prices::builtin().quote(model, NOW).expect("known").price.picture_bound();
        // 2833 and 5667 for each of eight tiles; 85 and 170.
        assert!(bound("gpt-4o-mini") >= 2_833 + 8 * 5_667 && bound("gpt-4o") >= 85 + 8 * 170);
        assert!(bound("gpt-4o") < 2_000);
        assert_eq!(Price::flat("anybody's", 1, 1).picture_bound(), 50_000);
    }

    #[test]
    fn a_cost_is_exact_and_rounded_up_once() {
        let price = Prices::builtin().quote("gpt-4o-mini", NOW).expect("known").price;
        // 1000 read at 0.15, 500 of them cached at 0.075, 200 written at 0.60 a million: 75 + 37.5 + 120 millionths.
        assert_eq!(price.cost(tokens(1000, 500, 200), 100), 233);
        assert_eq!(price.cost(tokens(0, 0, 0), 100), 0);
        assert_eq!(price.cost(tokens(1, 0, 0), 100), 1, "a millionth is the least");
        assert_eq!(price.cost(tokens(1_000_000, 0, 0), 50), 75_000);
        assert!(price.worst(1000, 200, 100, false) >= price.cost(tokens(1000, 500, 200), 100));
        let claude = Prices::builtin().quote("claude-sonnet-4-5", NOW).expect("known").price;
        let written = TokenCount { input: 1_000_000, written: 1_000_000, ..TokenCount::default() };
        assert_eq!((claude.cost(written, 100), claude.worst(1_000_000, 0, 100, false)), (3_750_000, 3_750_000));
        // For an hour a token costs twice what one that is read does, at worst as well.
        let long = TokenCount { written_long: 400_000, ..written };
        assert_eq!((claude.cost(long, 100), claude.worst(1_000_000, 0, 100, true)), (4_650_000, 6_000_000));
        let absurd = TokenCount { written_long: u64::MAX, ..written };
        assert_eq!(claude.cost(absurd, 100), 6_000_000);
        assert_eq!(price.cost(tokens(u64::MAX, 0, u64::MAX), 100), DEAREST, "no wrap");
    }

    #[test]
    fn what_has_any_price_is_not_free() {
        assert!(Prices::builtin().quote("rowhouse-minilm", NOW).expect("known").price.is_free());
        let free = Price::flat("llama", 0, 0);
        assert!(free.is_free());
        for price in [
            Price { input: 1, ..free.clone() },
            Price { cached: Some(1), ..free.clone() },
            Price { write: Some(1), ..free.clone() },
            Price { write_long: Some(1), ..free.clone() },
            Price { output: 1, ..free.clone() },
            Price { request: 1, ..free.clone() },
        ] {
            assert!(!price.is_free(), "{price:?}");
        }
    }

    #[test]
    fn a_tier_without_a_price_has_none() {
        let price = Prices::builtin().quote("gpt-5", NOW).expect("known").price;
        assert_eq!(
            [None, Some("flex"), Some("auto"), Some("scale")].map(|tier| price.tier(tier)),
            [Some(100), Some(50), Some(200), None]
        );
    }

    #[test]
    fn an_operators_list_stands_on_top_and_dates_count() {
        let text = r#"
            [[list]]
            version = "own-1"
            from = "2026-01-01T00:00:00Z"
            ceiling = { input = 9_000_000, output = 9_000_000 }
            [[list.price]]
            model = "gpt-4o"
            input = 1
            output = 2
            [[list.exchange]]
            currency = "EUR"
            per_dollar = 920_000
            source = "the bank"
            at = "2026-11-20T15:00:00Z"
            [[list]]
            version = "own-2"
            from = "2099-01-01T00:00:00Z"
        "#;
        let prices = Prices::builtin().with(text).expect("read");
        let quote = prices.quote("gpt-4o", NOW).expect("known");
        assert_eq!((quote.price.input, quote.version.as_str()), (1, "2026-11+own-1"));
        assert_eq!(prices.quote("gpt-4o-mini", NOW).expect("known").price.input, 150_000);
        assert_eq!(prices.quote("llama", NOW).expect("the ceiling").price.output, 9_000_000);
        assert_eq!(prices.quote_of("gpt-4o", "2026-11").expect("known").price.input, 2_500_000);
        assert_eq!(prices.quote_of("gpt-4o", "2026-11+own-1").expect("known"), quote);
        assert_eq!(prices.quote_of("gpt-4o", "2026-11+gone"), None);
        assert_eq!(prices.rate("EUR".parse().expect("one"), NOW).expect("known").0.per_dollar, 920_000);
        assert_eq!(prices.rate("GBP".parse().expect("one"), NOW), None);
    }

    #[test]
    fn a_price_of_ones_own_counts_where_no_list_does_and_can_be_read_again() {
        let ceiling = "[[list]]\nversion = \"c\"\nfrom = \"2026-01-01T00:00:00Z\"\nceiling = { input = 9, output = 9 }";
        let prices = Prices::builtin().with(ceiling).expect("read");
        let own = Price { cached: Some(5), answer: Some(7), ..Price::flat("llama", 10, 30) };
        let quote = prices.quote_or("llama", Some(&own), NOW).expect("own");
        assert_eq!((quote.price.input, quote.version.as_str()), (10, "own:10/30/5"));
        let again = prices.quote_of("llama", &quote.version).expect("read again");
        assert_eq!(again.price.cost(tokens(1000, 500, 7), 100), quote.price.cost(tokens(1000, 500, 7), 100));
        assert_eq!(prices.quote_or("gpt-4o", Some(&own), NOW).expect("listed").price.input, 2_500_000);
        assert_eq!(prices.quote_or("llama", None, NOW).expect("the ceiling").price.input, 9);
        let plain = prices.quote_or("llama", Some(&Price::flat("llama", 1, 2)), NOW).expect("own");
        assert_eq!(
            (plain.version.as_str(), prices.quote_of("llama", "own:1/2").expect("again")),
            ("own:1/2", plain.clone())
        );
        assert_eq!(prices.quote_of("llama", "own:1"), None);
    }

    #[test]
    fn mistakes_are_explained() {
        let wrong = |text: &str| Prices::builtin().with(text).expect_err(text).to_string();
        let list = |rest: &str| format!("[[list]]\nversion = \"v\"\nfrom = \"2026-01-01T00:00:00Z\"\n{rest}");
        assert!(wrong(&list("[[list.price]]\nmodel = \"a\"\ninput = -1\noutput = 0")).contains("model \"a\": a price"));
        assert!(wrong(&list("[[list.price]]\nmodel = \"*a\"\ninput = 1\noutput = 0")).contains("at its end alone"));
        assert!(wrong("[[list]]\nversion = \"V\"\nfrom = \"2026-01-01T00:00:00Z\"").contains("its version"));
        assert!(wrong("[[list]]\nversion = \"v\"\nfrom = \"soon\"").contains("`from`"));
        assert!(wrong(&list("price_of_all = 3")).contains("price_of_all"));
    }
}
