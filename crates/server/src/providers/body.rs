//! What callers say of a provider, checked: its address, its headers, its models and their prices.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use domain::models::{EMBEDDED, ProviderKind};
use domain::money::Micros;
use domain::prices::HIGHEST;
use domain::secret::SecretText;
use domain::text::ModelName;
use egress::Endpoint;
use gateway::providers::InvalidUpstream;
use http::HeaderName;
use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use store::org::providers::{Model, OwnPrice};

use crate::http::error::{Problem, Result};
use crate::models::Models;
use crate::models::upstream::{self, Secrets};

/// The longest base URL, in bytes.
const LONGEST_URL: usize = 500;
/// The most models and headers of a provider.
const MOST_MODELS: usize = 500;
const MOST_HEADERS: usize = 16;

/// Headers that are made here, or that would change what the connection carries.
const NOT_SENT: &[&str] = &[
    "accept-encoding",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-api-key",
];

/// A model: its name alone, or with what it costs the owner of the key.
#[derive(Debug)]
pub(super) struct ModelBody(Priced);

/// A model with what it costs the owner of the key, in millionths of a US dollar for a million tokens. That counts where no price
/// list knows the model.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Priced {
    name: ModelName,
    /// For tokens read.
    #[serde(default)]
    input_micros: Option<Micros>,
    /// For tokens written.
    #[serde(default)]
    output_micros: Option<Micros>,
    /// For tokens read from the provider's cache; as all tokens read when left out.
    #[serde(default)]
    cached_micros: Option<Micros>,
    /// Tokens held for an answer whose caller names no limit.
    #[serde(default)]
    answer: Option<std::num::NonZeroU32>,
}

impl<'de> Deserialize<'de> for ModelBody {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Priced;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a model's name, or an object with its name and price")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Priced, E> {
                let name = ModelName::new(text).map_err(E::custom)?;
                Ok(Priced { name, input_micros: None, output_micros: None, cached_micros: None, answer: None })
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Priced, A::Error> {
                Priced::deserialize(MapAccessDeserializer::new(map))
            }
        }
        deserializer.deserialize_any(Reader).map(Self)
    }
}

impl JsonSchema for ModelBody {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ModelBody".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let (name, priced) = (generator.subschema_for::<ModelName>(), generator.subschema_for::<Priced>());
        schemars::json_schema!({ "anyOf": [name, priced] })
    }
}

/// The models, and whether one has a price.
pub(super) fn models(bodies: Vec<ModelBody>) -> Result<Vec<Model>> {
    if bodies.len() > MOST_MODELS {
        return Err(Problem::field("models", format!("must be at most {MOST_MODELS}")));
    }
    let mut seen = BTreeSet::new();
    let mut models = Vec::with_capacity(bodies.len());
    for (at, ModelBody(body)) in bodies.into_iter().enumerate() {
        let wrong = |field: &str, rule: String| Err(Problem::field(format!("models[{at}].{field}"), rule));
        if body.name.as_str().starts_with(EMBEDDED) {
            return wrong("name", format!("must not begin with `{EMBEDDED}`: such models are inside this program"));
        }
        if !seen.insert(body.name.clone()) {
            return wrong("name", "is given twice".into());
        }
        let amounts = [
            ("input_micros", body.input_micros),
            ("output_micros", body.output_micros),
            ("cached_micros", body.cached_micros),
        ];
        if let Some((field, _)) = amounts.iter().find(|(_, amount)| amount.is_some_and(|amount| amount.get() > HIGHEST))
        {
            return wrong(field, format!("must be at most {HIGHEST}"));
        }
        let price = match (body.input_micros, body.output_micros) {
            (Some(input), Some(output)) => Some(OwnPrice {
                input: input.get(),
                output: output.get(),
                cached: body.cached_micros.map(Micros::get),
                answer: body.answer.map(|answer| answer.get().into()),
            }),
            (None, None) if body.cached_micros.is_none() && body.answer.is_none() => None,
            (None, _) => return wrong("input_micros", "must be given with the other prices".into()),
            (_, None) => return wrong("output_micros", "must be given with the other prices".into()),
        };
        models.push(Model { name: body.name, price });
    }
    Ok(models)
}

/// The headers, by name in lower case.
pub(super) fn headers(given: BTreeMap<String, SecretText>) -> Result<BTreeMap<String, String>> {
    if given.len() > MOST_HEADERS {
        return Err(Problem::field("headers", format!("must be at most {MOST_HEADERS}")));
    }
    let mut headers = BTreeMap::new();
    for (name, value) in given {
        // What is no name is not repeated: it may be a value in the wrong place.
        let name: HeaderName =
            name.parse().map_err(|_| Problem::field("headers", "must have names that headers can have"))?;
        let name = name.as_str();
        if NOT_SENT.contains(&name) || name.starts_with("proxy-") {
            return Err(Problem::field(
                format!("headers.{name}"),
                "is set here and cannot be given; a key goes into api_key",
            ));
        }
        if http::HeaderValue::from_str(value.expose()).is_err() {
            return Err(Problem::field(format!("headers.{name}"), "holds characters that no header can hold"));
        }
        if headers.insert(name.to_owned(), value.expose().to_owned()).is_some() {
            return Err(Problem::field(format!("headers.{name}"), "is given twice"));
        }
    }
    Ok(headers)
}

/// Refuses what could never be called: an address that is none, one that tenants may not name, a key that no header can hold.
pub(super) fn check(models: &Models, kind: ProviderKind, base_url: &str, secrets: &Secrets) -> Result<()> {
    let url = |rule: String| Problem::field("base_url", rule);
    if base_url.len() > LONGEST_URL {
        return Err(url(format!("must be at most {LONGEST_URL} bytes long")));
    }
    let endpoint = Endpoint::new(base_url).map_err(|error| url(error.to_string()))?;
    if let Err(error) = models.outside().policy().precheck(&endpoint) {
        let rule = "must be an https address on the internet; the operator can allow others (ROWHOUSE_EGRESS_ALLOW)";
        return Err(url(rule.to_owned()).because(error.to_string()));
    }
    match upstream::build(kind, base_url, secrets) {
        Ok(_) => Ok(()),
        Err(InvalidUpstream::BaseUrl(error)) => Err(url(error.to_string())),
        Err(InvalidUpstream::Header) => Err(Problem::field("api_key", "holds characters that no header can hold")),
    }
}

/// How a key ends: of one so short that this would tell too much, nothing.
pub(super) fn last4(key: Option<&str>) -> Option<String> {
    const SHORTEST: usize = 8;
    let key = key.filter(|key| key.chars().count() >= SHORTEST)?;
    let skip = key.chars().count() - 4;
    Some(key.chars().skip(skip).collect())
}
