"""The peer of the `auth/me` benchmark: sign-up, login and "me" as a good Python team would write them.

It is here to be beaten honestly, so every choice below is the faster one of those a careful team would still ship. What it
leaves out (row security, key rotation, `X-Rowhouse-Org`, custom roles, rate limits, audit) is work that Rowhouse does on the
same call: each omission is in the peer's favour.
"""

import asyncio
import base64
import os
import secrets
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import uuid4

import asyncpg
import jwt
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, EmailStr, Field
from sqlalchemy import DateTime, ForeignKey, MetaData, bindparam, func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.schema import CreateSchema

ISSUER = AUDIENCE = "rowhouse-bench-peer"
TOKEN_LIFE = timedelta(minutes=10)
SESSION_LIFE = timedelta(days=30)

# The seed comes from the environment because both workers must accept each other's tokens.
SIGNING_KEY = Ed25519PrivateKey.from_private_bytes(base64.b64decode(os.environ["PEER_SIGNING_SEED"]))
VERIFYING_KEY = SIGNING_KEY.public_key()

NOUNS = "organization member invitation role team project key budget usage collection document agent provider audit".split()
READ = [f"{noun}.read" for noun in NOUNS]
WRITE = [f"{noun}.write" for noun in NOUNS]
PERMISSIONS = {
    "owner": sorted(READ + WRITE + ["organization.transfer", "organization.delete"]),
    "admin": sorted(READ + WRITE),
    "member": sorted(READ + [f"{noun}.write" for noun in ("collection", "document", "agent")]),
    "viewer": READ,
}


# --- tables ---


class Base(DeclarativeBase):
    metadata = MetaData(schema="peer")


class User(Base):
    __tablename__ = "users"
    id: Mapped[str] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    password_hash: Mapped[str]


class Organization(Base):
    __tablename__ = "organizations"
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    slug: Mapped[str] = mapped_column(unique=True)
    plan: Mapped[str]


class Membership(Base):
    __tablename__ = "memberships"
    user_id: Mapped[str] = mapped_column(ForeignKey(User.id), primary_key=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey(Organization.id), primary_key=True)
    role: Mapped[str]


class Session(Base):
    __tablename__ = "sessions"
    id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey(User.id), index=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey(Organization.id))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


# --- bodies ---


class Credentials(BaseModel, extra="forbid"):
    email: EmailStr
    password: str = Field(min_length=12, max_length=1024)


class SignUp(Credentials):
    name: str = Field(min_length=1, max_length=200)


class UserOut(BaseModel):
    id: str
    email: str
    name: str


class OrganizationOut(BaseModel):
    id: str
    name: str
    slug: str
    plan: str


class SignedIn(BaseModel):
    user: UserOut
    organization: OrganizationOut
    access_token: str
    token_type: str = "Bearer"
    expires_in: int = int(TOKEN_LIFE.total_seconds())


class Me(BaseModel):
    user: UserOut
    organization: OrganizationOut
    organizations: list[OrganizationOut]
    role: str
    permissions: list[str]


# --- database ---

POOL_SIZE = int(os.environ.get("PEER_POOL_SIZE", "8"))
# SQLAlchemy's pool does not serve its waiters in the order they came; waiting here instead keeps the p99 down. Tried per worker,
# medians of 40 short runs in turn on 2 cores (rates differ by 10 % from noise alone): 4 without this 2,210/s and p99 258 ms,
# 16 without 2,170/s and 109 ms, 4 with it 2,230/s and 62 ms, 8 with it 2,420/s and 85 ms.
slots = asyncio.Semaphore(POOL_SIZE)
# asyncpg reads the URL itself, so every libpq spelling of it (sslmode, socket folders) works.
engine = create_async_engine(
    "postgresql+asyncpg://",
    async_creator=lambda: asyncpg.connect(os.environ["PEER_DATABASE_URL"]),
    pool_size=POOL_SIZE,
    max_overflow=0,
)
WriteSession = async_sessionmaker(engine, expire_on_commit=False)
# One SELECT is already a consistent snapshot; autocommit saves the BEGIN and ROLLBACK round trips of every read.
reads = engine.execution_options(isolation_level="AUTOCOMMIT")


async def write_session():
    async with WriteSession.begin() as session:  # takes a connection at its first statement, not before
        yield session


async def create_tables():
    async with engine.begin() as connection:
        await connection.execute(CreateSchema("peer", if_not_exists=True))
        await connection.run_sync(Base.metadata.create_all)
    await engine.dispose()


@asynccontextmanager
async def lifespan(_: FastAPI):
    yield
    await engine.dispose()


app = FastAPI(title="Benchmark peer", lifespan=lifespan)
hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
DUMMY_HASH = hasher.hash(secrets.token_urlsafe())


# --- sign-up and login ---


async def signed_in(session: AsyncSession, user: User, organization: Organization) -> SignedIn:
    now = datetime.now(UTC)
    row = Session(id=f"ses_{uuid4()}", user_id=user.id, organization_id=organization.id, expires_at=now + SESSION_LIFE)
    session.add(row)
    await session.flush()
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": user.id, "sid": row.id, "iat": now, "exp": now + TOKEN_LIFE}
    return SignedIn(
        user=UserOut(id=user.id, email=user.email, name=user.name),
        organization=OrganizationOut(
            id=organization.id, name=organization.name, slug=organization.slug, plan=organization.plan
        ),
        access_token=jwt.encode(claims, SIGNING_KEY, algorithm="EdDSA"),
    )


@app.post("/api/v1/auth/signup", status_code=201)
async def signup(body: SignUp, session: Annotated[AsyncSession, Depends(write_session, scope="function")]) -> SignedIn:
    # Hashing leaves the event loop, else one sign-up stalls every other request of the worker.
    password_hash = await asyncio.to_thread(hasher.hash, body.password)
    user = User(id=f"usr_{uuid4()}", email=body.email.lower(), name=body.name, password_hash=password_hash)
    organization = Organization(id=f"org_{uuid4()}", name=body.name, slug=f"personal-{secrets.token_hex(6)}", plan="free")
    session.add_all([user, organization])
    try:
        await session.flush()
    except IntegrityError:
        raise HTTPException(409, "This address is already in use.") from None
    session.add(Membership(user_id=user.id, organization_id=organization.id, role="owner"))
    return await signed_in(session, user, organization)


@app.post("/api/v1/auth/login")
async def login(
    body: Credentials, session: Annotated[AsyncSession, Depends(write_session, scope="function")]
) -> SignedIn:
    query = (
        select(User, Organization)
        .join(Membership, Membership.user_id == User.id)
        .join(Organization, Organization.id == Membership.organization_id)
        .where(User.email == body.email.lower())
        .order_by(Organization.id)
        .limit(1)
    )
    found = (await session.execute(query)).one_or_none()
    try:
        # An unknown address costs one hash too: the time must not tell who has an account.
        await asyncio.to_thread(hasher.verify, found.User.password_hash if found else DUMMY_HASH, body.password)
    except (VerifyMismatchError, InvalidHashError):
        found = None
    if found is None:
        raise HTTPException(401, "The address or the password is wrong.")
    return await signed_in(session, found.User, found.Organization)


# --- me ---

# One statement instead of three: the session's state, the person and all memberships in one round trip. Columns on a plain
# connection instead of entities in an AsyncSession: nothing here is changed, so a unit of work would be pure cost.
CALLER = (
    select(
        User.id,
        User.email,
        User.name,
        Session.organization_id.label("active_id"),
        Membership.role,
        Organization.id.label("organization_id"),
        Organization.name.label("organization_name"),
        Organization.slug,
        Organization.plan,
    )
    .select_from(Session)
    .join(User, User.id == Session.user_id)
    .join(Membership, Membership.user_id == User.id)
    .join(Organization, Organization.id == Membership.organization_id)
    .where(
        Session.id == bindparam("session_id"),
        Session.user_id == bindparam("user_id"),
        Session.revoked_at.is_(None),
        Session.expires_at > func.now(),
    )
    .order_by(Organization.id)
)

bearer = HTTPBearer(auto_error=False)


def unauthorized() -> HTTPException:
    return HTTPException(401, "The access token is missing, expired or revoked.", {"WWW-Authenticate": "Bearer"})


async def claims(credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]) -> dict:
    if credentials is None:
        raise unauthorized()
    try:
        return jwt.decode(
            credentials.credentials,
            VERIFYING_KEY,
            algorithms=["EdDSA"],
            issuer=ISSUER,
            audience=AUDIENCE,
            options={"require": ["exp", "iss", "aud", "sub", "sid"]},
        )
    except jwt.InvalidTokenError:
        raise unauthorized() from None


@app.get("/api/v1/auth/me")
async def me(token: Annotated[dict, Depends(claims)]) -> Me:
    # Opened here and not as a dependency: the connection is back in the pool before the answer is serialised.
    async with slots, reads.connect() as connection:
        rows = (await connection.execute(CALLER, {"session_id": token["sid"], "user_id": token["sub"]})).all()
    active = next((row for row in rows if row.organization_id == row.active_id), None)
    if active is None:
        raise unauthorized()
    organizations = {
        row.organization_id: OrganizationOut(
            id=row.organization_id, name=row.organization_name, slug=row.slug, plan=row.plan
        )
        for row in rows
    }
    return Me(
        user=UserOut(id=active.id, email=active.email, name=active.name),
        organization=organizations[active.organization_id],
        organizations=list(organizations.values()),
        role=active.role,
        permissions=PERMISSIONS[active.role],
    )


@app.get("/healthz")
async def healthz() -> dict[str, str]:
    async with reads.connect() as connection:
        await connection.execute(text("SELECT 1"))
    return {"status": "ok"}
