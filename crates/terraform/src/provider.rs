//! The calls of the protocol.

use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use client::Client;
use domain::Ambient;
use prost::Message;

use crate::grpc::Status;
use crate::plan::plan;
use crate::problem::Problem;
use crate::protocol::{
    Applied, Apply, AttributePath, Configure, Data, Diagnostic, DynamicValue, Import, Imported, ImportedResource,
    Nothing, OfKind, Plan, Planned, ProviderSchema, Read, Step, Told, Upgrade, Upgraded, ValidateProvider,
    ValidatedProvider, WasRead,
};
use crate::resources::{Made, RESOURCES, Resource};
use crate::schema::{Attribute, TEXT, described};
use crate::sources::{SOURCES, Source};
use crate::value::{Object, Value};

/// Where a server listens when nobody says otherwise.
const URL: &str = "http://127.0.0.1:8080";
/// What the provider is configured with, and the variables that say it when the configuration does not.
const CONFIGURATION: &[Attribute] = &[
    Attribute::optional("url", TEXT, "Where the server is. From ROWHOUSE_URL when left out, else http://127.0.0.1:8080."),
    Attribute::optional("org", TEXT, "The organisation, by its short label or its id. From ROWHOUSE_ORG when left out."),
    Attribute::optional(
        "api_key",
        TEXT,
        "An API key of the organisation, with scopes for what is to be managed. From ROWHOUSE_API_KEY when left out, which keeps it \
         out of files.",
    )
    .sensitive(),
];
const VARIABLES: &[(&str, &str)] = &[("url", "ROWHOUSE_URL"), ("org", "ROWHOUSE_ORG"), ("api_key", "ROWHOUSE_API_KEY")];

/// The provider, and the client that it works with as soon as it is configured.
#[derive(Default)]
pub(crate) struct Provider {
    client: RwLock<Option<Arc<Client>>>,
}

impl Provider {
    /// Answers a call by its name.
    pub(crate) async fn answer(&self, call: &str, message: Bytes) -> Result<Vec<u8>, Status> {
        Ok(match call {
            "GetProviderSchema" => schemas().encode_to_vec(),
            "ValidateProviderConfig" => {
                let _: ValidateProvider = read(message)?;
                ValidatedProvider::default().encode_to_vec()
            }
            "ValidateResourceConfig" | "ValidateDataResourceConfig" => {
                let _: OfKind = read(message)?;
                Told::default().encode_to_vec()
            }
            "UpgradeResourceState" => upgrade(&read(message)?).encode_to_vec(),
            "ConfigureProvider" => self.configure(&read(message)?).await.encode_to_vec(),
            "ReadResource" => self.read(&read(message)?).await.encode_to_vec(),
            "PlanResourceChange" => planned(&read(message)?).encode_to_vec(),
            "ApplyResourceChange" => self.apply(&read(message)?).await.encode_to_vec(),
            "ImportResourceState" => import(&read(message)?).encode_to_vec(),
            "ReadDataSource" => self.data(&read(message)?).await.encode_to_vec(),
            // Whatever is asked of the server ends by itself, soon.
            "StopProvider" => Nothing {}.encode_to_vec(),
            _ => return Err(Status::unimplemented()),
        })
    }

    async fn configure(&self, call: &Configure) -> Told {
        let configured = async {
            let config = Value::read(call.config.as_ref())?.object().unwrap_or_default();
            let mut client = Client::new(
                &setting(&config, "url")?.unwrap_or_else(|| URL.to_owned()),
                &setting(&config, "api_key")?.ok_or_else(|| missing("api_key", "an API key"))?,
                Ambient::system(),
            )
            .map_err(Problem::from)?;
            client.enter(&setting(&config, "org")?.ok_or_else(|| missing("org", "the organisation"))?).await?;
            Ok(client)
        };
        match configured.await {
            Ok(client) => {
                *self.client.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(client));
                Told::default()
            }
            Err(problem) => Told { diagnostics: told(problem, CONFIGURATION) },
        }
    }

    fn client(&self) -> Result<Arc<Client>, Problem> {
        let client = self.client.read().unwrap_or_else(PoisonError::into_inner).clone();
        client.ok_or_else(|| {
            Problem::new("The provider is not configured", "Terraform has not said which server and key.")
        })
    }

    async fn read(&self, call: &Read) -> WasRead {
        let Some(resource) = Resource::named(&call.type_name) else {
            return WasRead { diagnostics: unknown(), ..WasRead::default() };
        };
        let found = async {
            let Value::Map(state) = Value::read(call.current_state.as_ref())? else { return Ok(None) };
            let client = self.client()?;
            resource.read(&client, &state).await
        };
        match found.await {
            // What is gone is null, and Terraform plans it anew.
            Ok(None) => WasRead { new_state: Some(Value::Null.send()), ..WasRead::default() },
            Ok(Some(Made { state, etag })) => {
                let private = etag.unwrap_or_default().into_bytes();
                WasRead { new_state: Some(Value::Map(state).send()), private, ..WasRead::default() }
            }
            Err(problem) => WasRead {
                new_state: call.current_state.clone(),
                private: call.private.clone(),
                diagnostics: told(problem, resource.attributes),
            },
        }
    }

    async fn apply(&self, call: &Apply) -> Applied {
        let Some(resource) = Resource::named(&call.type_name) else {
            return Applied { diagnostics: unknown(), ..Applied::default() };
        };
        // The version that was planned for: read when the plan was made.
        let etag = std::str::from_utf8(&call.planned_private).ok().filter(|etag| !etag.is_empty());
        let done = async {
            let client = self.client()?;
            let prior = Value::read(call.prior_state.as_ref())?.object();
            match (prior, Value::read(call.planned_state.as_ref())?.object()) {
                (None, Some(planned)) => resource.create(&client, &planned).await.map(Some),
                (Some(prior), Some(planned)) => resource.update(&client, &prior, &planned, etag).await.map(Some),
                (Some(prior), None) => resource.delete(&client, &prior, etag).await.map(|()| None),
                (None, None) => Ok(None),
            }
        };
        match done.await {
            Ok(made) => {
                let (state, etag) = made.map_or((Value::Null, None), |made| (Value::Map(made.state), made.etag));
                let private = etag.unwrap_or_default().into_bytes();
                Applied { new_state: Some(state.send()), private, ..Applied::default() }
            }
            Err(mut problem) => Applied {
                // What was made half is kept, and made anew the next time; else all is as it was.
                new_state: problem.made.take().map(|made| Value::Map(made).send()).or_else(|| call.prior_state.clone()),
                private: call.planned_private.clone(),
                diagnostics: told(problem, resource.attributes),
            },
        }
    }

    async fn data(&self, call: &OfKind) -> Data {
        let Some(source) = Source::named(&call.type_name) else {
            return Data { diagnostics: unknown(), ..Data::default() };
        };
        let found = async {
            let config = Value::read(call.config.as_ref())?.object().unwrap_or_default();
            let client = self.client()?;
            source.read(&client, &config).await
        };
        match found.await {
            Ok(state) => Data { state: Some(Value::Map(state).send()), ..Data::default() },
            Err(problem) => Data { diagnostics: told(problem, source.attributes), ..Data::default() },
        }
    }
}

/// A setting of the provider: from its configuration, else from the environment.
fn setting(config: &Object, name: &str) -> Result<Option<String>, Problem> {
    if config.get(name) == Some(&Value::Unknown) {
        let detail =
            "It is known only after something else was made. Apply that first, with -target, or give it as a variable.";
        return Err(Problem::new(format!("{name} is not known yet"), detail).at(name));
    }
    let said = config.get(name).and_then(Value::text).map(str::to_owned);
    let variable = VARIABLES.iter().find(|(of, _)| *of == name).map(|(_, variable)| *variable);
    Ok(said.or_else(|| std::env::var(variable?).ok()).filter(|text| !text.is_empty()))
}

fn missing(name: &str, what: &str) -> Problem {
    let variable = VARIABLES.iter().find(|(of, _)| *of == name).map_or("", |(_, variable)| variable);
    Problem::new(format!("The provider needs {what}"), format!("Put it into {variable}, or set {name}.")).at(name)
}

fn read<M: Message + Default>(message: Bytes) -> Result<M, Status> {
    M::decode(message).map_err(Status::malformed)
}

fn told(problem: Problem, attributes: &[Attribute]) -> Vec<Diagnostic> {
    vec![problem.told(attributes)]
}

/// Terraform asks only for what the schemas name; another version of this provider may have named more.
fn unknown() -> Vec<Diagnostic> {
    told(Problem::new("This version of the provider has no such resource", "A newer version may have made it."), &[])
}

fn schemas() -> ProviderSchema {
    let provider = described("An organisation in Rowhouse: its people, roles, teams and projects.", CONFIGURATION);
    let of = |name: &str, about, attributes| (name.to_owned(), described(about, attributes));
    ProviderSchema {
        provider: Some(provider),
        resource_schemas: RESOURCES.iter().map(|one| of(one.name, one.about, one.attributes)).collect(),
        data_source_schemas: SOURCES.iter().map(|one| of(one.name, one.about, one.attributes)).collect(),
    }
}

/// A saved state in today's form: what it does not have is null, what nobody knows any more is left out.
fn upgrade(call: &Upgrade) -> Upgraded {
    let Some(resource) = Resource::named(&call.type_name) else {
        return Upgraded { diagnostics: unknown(), ..Upgraded::default() };
    };
    let saved = call.raw_state.as_ref().map(|raw| raw.json.as_slice()).unwrap_or_default();
    match Value::read_json(saved) {
        Ok(saved) => {
            let mut saved = saved.object().unwrap_or_default();
            let of = |one: &Attribute| (one.name.to_owned(), saved.remove(one.name).unwrap_or(Value::Null));
            let state: Object = resource.attributes.iter().map(of).collect();
            Upgraded { upgraded_state: Some(Value::Map(state).send()), ..Upgraded::default() }
        }
        Err(error) => Upgraded { diagnostics: told(error.into(), resource.attributes), ..Upgraded::default() },
    }
}

fn planned(call: &Plan) -> Planned {
    let Some(resource) = Resource::named(&call.type_name) else {
        return Planned { diagnostics: unknown(), ..Planned::default() };
    };
    let object = |value: Option<&DynamicValue>| Value::read(value).map(Value::object);
    let values = || -> Result<_, Problem> {
        Ok((
            object(call.prior_state.as_ref())?,
            object(call.proposed_new_state.as_ref())?,
            object(call.config.as_ref())?,
        ))
    };
    match values() {
        Ok((prior, Some(proposed), config)) => {
            let mut planned = plan(resource.attributes, prior.as_ref(), &proposed, &config.unwrap_or_default());
            if let Some(prior) = prior {
                resource.mend(&prior, &mut planned);
            }
            let step = |name: &str| AttributePath { steps: vec![Step { attribute_name: name.to_owned() }] };
            Planned {
                planned_state: Some(Value::Map(planned.state).send()),
                requires_replace: planned.replace.into_iter().map(step).collect(),
                planned_private: call.prior_private.clone(),
                ..Planned::default()
            }
        }
        // It is to be deleted.
        Ok((_, None, _)) => Planned {
            planned_state: Some(Value::Null.send()),
            planned_private: call.prior_private.clone(),
            ..Planned::default()
        },
        Err(problem) => Planned { diagnostics: told(problem, resource.attributes), ..Planned::default() },
    }
}

/// Takes what its id says; Terraform reads the rest.
fn import(call: &Import) -> Imported {
    let Some(resource) = Resource::named(&call.type_name) else {
        return Imported { diagnostics: unknown(), ..Imported::default() };
    };
    match resource.import(&call.id) {
        Ok(known) => {
            let of = |one: &Attribute| (one.name.to_owned(), known.get(one.name).cloned().unwrap_or(Value::Null));
            let state = Value::Map(resource.attributes.iter().map(of).collect()).send();
            let imported = ImportedResource { type_name: call.type_name.clone(), state: Some(state) };
            Imported { imported_resources: vec![imported], ..Imported::default() }
        }
        Err(problem) => Imported { diagnostics: told(problem, resource.attributes), ..Imported::default() },
    }
}
