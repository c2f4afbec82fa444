//! `GET /api/v1/usage/invoice`: drafts the invoice of a month: what was used of each model at each price, exactly as the rows have it.

use domain::access::can;
use domain::limits::Period;
use domain::time_zone::TimeZoneName;
use domain::{OrgId, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::ledger::summary::{self, Line};

use super::span;
use crate::http::body::Query;
use crate::http::caller::Caller;
use crate::http::error::Result;
use crate::http::reply::Found;

/// Which month.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DraftInvoice {
    /// A month in the organisation's time zone, such as `2026-11`; this one when left out.
    month: Option<String>,
}

/// The draft of an invoice. Amounts are in millionths of a US dollar.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "InvoiceDraft")]
pub(crate) struct InvoiceView {
    organization_id: OrgId,
    from: Time,
    until: Option<Time>,
    time_zone: TimeZoneName,
    /// Whether the month is over, so that nothing is added any more but what calls under way still cost.
    closed: bool,
    lines: Vec<LineView>,
    total_micros: i64,
}

/// What was used of one model at one price.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "InvoiceLine")]
struct LineView {
    operation: String,
    upstream: String,
    model: String,
    /// The version of the price list.
    price_version: String,
    /// Percent of the list price, by the service tier.
    price_percent: i64,
    /// What the list says of a million tokens; null when no list does.
    price: Option<PriceView>,
    /// Calls.
    operations: i64,
    /// Tokens read, cached ones included.
    input_tokens: i64,
    /// Of these, from the provider's cache.
    cached_tokens: i64,
    /// Of these, written to the provider's cache.
    cache_write_tokens: i64,
    /// Of those written, for an hour.
    cache_write_1h_tokens: i64,
    output_tokens: i64,
    /// The sum over the rows. Each row is rounded up to a whole millionth of a dollar, so this can exceed what the tokens come to
    /// together, by less than a millionth a call.
    cost_micros: i64,
}

/// Prices of a million tokens, in millionths of a US dollar.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "InvoicePrice")]
#[expect(clippy::struct_field_names, reason = "the unit stands in the name, as everywhere in the API")]
struct PriceView {
    input_micros: i64,
    cached_micros: i64,
    cache_write_micros: i64,
    /// Written to the provider's cache for an hour.
    cache_write_1h_micros: i64,
    output_micros: i64,
    /// For a call.
    request_micros: i64,
}

pub(crate) async fn invoice(
    caller: Caller<can::UsageAll>,
    Query(query): Query<DraftInvoice>,
) -> Result<Found<InvoiceView>> {
    let now = caller.ambient().now();
    let rules = caller.app().rules.of(caller.scope()).await?;
    let span = span(query.month.as_deref(), None, None, rules.zone(), rules.span(Period::Month, now))?;
    let mut tx = caller.store().read_ledger(caller.scope()).await?;
    let lines = summary::lines(&mut tx.page(caller.scope())?, span).await?;
    let total_micros = lines.iter().fold(0_i64, |sum, line| sum.saturating_add(line.cost_micros));
    let prices = caller.app().rules.prices();
    let view = |line: Line| {
        let price = prices.quote_of(&line.model, &line.price).map(|quote| PriceView {
            input_micros: quote.price.input,
            cached_micros: quote.price.cached.unwrap_or(quote.price.input),
            cache_write_micros: quote.price.write(),
            cache_write_1h_micros: quote.price.write_long(),
            output_micros: quote.price.output,
            request_micros: quote.price.request,
        });
        LineView {
            operation: line.operation,
            upstream: line.upstream,
            model: line.model,
            price_version: line.price,
            price_percent: line.percent,
            price,
            operations: line.operations,
            input_tokens: line.input_tokens,
            cached_tokens: line.cached_tokens,
            cache_write_tokens: line.written_tokens,
            cache_write_1h_tokens: line.written_long_tokens,
            output_tokens: line.output_tokens,
            cost_micros: line.cost_micros,
        }
    };
    Ok(Found(InvoiceView {
        organization_id: caller.org(),
        from: span.from,
        until: span.until,
        time_zone: rules.zone().clone(),
        closed: span.until.is_some_and(|until| until <= now),
        lines: lines.into_iter().map(view).collect(),
        total_micros,
    }))
}
