//! Company for the tests: members of an organisation with a role, operators, plans.

use serde_json::json;

use crate::house::PASSWORD;
use crate::{Client, TestHouse};

impl TestHouse {
    /// Signs a new person up and brings them into somebody's organisation by an invitation; gives their client, working there.
    pub async fn join(&self, host: &Client, name: &str, role: &str) -> Client {
        let person = self.sign_up(name).await;
        self.bring(host, &person, name, role).await
    }

    /// As [`TestHouse::join`], with a person who has signed up before.
    pub async fn bring(&self, host: &Client, person: &Client, name: &str, role: &str) -> Client {
        let invitation = json!({ "email": format!("{}@example.com", name.to_lowercase()), "role": role });
        let sent = host.post("/api/v1/invitations", &invitation).await.expect(201);
        let link = json!({ "token": sent.str("/token") });
        person.post("/api/v1/invitations/accept", &link).await.expect(200);
        Client { org: host.org.clone(), ..person.in_org(&host.org) }
    }

    /// Signs somebody in again, as after their session has ended; the client works where it did.
    pub async fn sign_in(&self, client: &Client, name: &str) -> Client {
        let login = json!({ "email": format!("{}@example.com", name.to_lowercase()), "password": PASSWORD });
        let answer = self.visitor().post("/api/v1/auth/login", &login).await.expect(200);
        let refresh = answer.str("/refresh_token").to_owned();
        Client { refresh, ..client.with_token(Some(answer.str("/access_token"))) }
    }

    /// Makes an API key that may do all that its maker may.
    /// # Panics
    /// When it is refused.
    pub async fn key(&self, maker: &Client) -> String {
        let me = maker.get("/api/v1/auth/me").await.expect(200);
        let wanted = json!({ "name": "everything", "scopes": me.json["permissions"] });
        maker.post("/api/v1/auth/api-keys", &wanted).await.expect(201).str("/key").to_owned()
    }

    /// Makes an operator, and signs them in.
    /// # Panics
    /// When the name is none.
    pub async fn operator(&self, name: &str) -> Client {
        let email = format!("{}@example.com", name.to_lowercase());
        let password = domain::password::NewPassword::new(PASSWORD.into()).expect("a good password");
        let person = tenancy::operator::create(
            &self.house,
            domain::email::Email::new(&email).expect("an address"),
            domain::text::PersonName::new(name).expect("a name"),
            password,
        );
        let user = person.await.expect("made").id.to_string();
        Client { user, ..self.sign_in(&self.visitor(), name).await }
    }

    /// Puts an organisation on a plan, as an operator would.
    /// # Panics
    /// When there is no such organisation.
    pub async fn on_plan(&self, org: &str, plan: &str) {
        use store::control::organisations;
        let org: domain::OrgId = org.parse().expect("an id");
        let mut tx = self.store().begin_control(store::Turn::Org(org)).await.expect("begun");
        let mut organisation = organisations::get(&mut tx, org).await.expect("there");
        organisation.plan = plan.parse().expect("a plan's name");
        organisations::update(&mut tx, &organisation).await.expect("written");
        let event = store::audit::Event::new("organisation.administered", org);
        tx.record(org, &store::Actor::System, &store::Origin::default(), event).await.expect("recorded");
        tx.commit().await.expect("committed");
    }
}
