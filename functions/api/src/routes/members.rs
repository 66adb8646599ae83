//! Who belongs to a workspace.

use super::given;
use crate::Api;
use crate::access::Here;
use crate::answer::{created, tagged};
use crate::problem::{Problem, REFUSED};
use crate::request::{At, Body, Expect, Listing, NoFilter, PageOf, Paging};
use crate::table::{Access, Route};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use plumbline_governance::access::{Capability, Member, MemberChange, MemberRole};
use plumbline_governance::ids::TenantId;
use plumbline_governance::schema::Moment;
use plumbline_operations::{Person, Stored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

const TAG: &str = "Members";
const LIST: &str = "/v1/workspaces/{workspace}/members";
const ONE: &str = "/v1/workspaces/{workspace}/members/{member}";

pub(crate) fn routes() -> Vec<Route> {
    let manage = Access::WholeWorkspace(Capability::ManageMembers);
    vec![
        Route::get(LIST, list)
            .access(Access::WholeWorkspace(Capability::Read))
            .does(TAG, "List the members")
            .query::<Paging>()
            .gives::<PageOf<MemberView>>(200, "A page of them."),
        Route::post(LIST, add)
            .access(manage)
            .does(TAG, "Add a member")
            .about(
                "A member is named as their tokens name them: by issuer and subject. Operators and viewers \
                 may be limited to some tenants; a membership may end by itself.",
            )
            .body::<NewMember>()
            .gives::<MemberView>(201, "The member.")
            .located(),
        Route::get(ONE, show)
            .access(Access::WholeWorkspace(Capability::Read))
            .does(TAG, "Read a member")
            .gives::<MemberView>(200, "The member.")
            .tagged(),
        Route::patch(ONE, edit)
            .access(manage)
            .does(TAG, "Change what a member may do")
            .about("What is not given stays; null takes a limit or an end away. The last owner stays one.")
            .body::<MemberEdit>()
            .if_match()
            .gives::<MemberView>(200, "The member as they are now.")
            .tagged(),
        Route::delete(ONE, remove)
            .access(manage)
            .does(TAG, "Take a member out")
            .about("Their tokens are worth nothing here from the next request on.")
            .if_match()
            .gives_nothing(204, "They are out."),
    ]
}

/// A member of a workspace.
#[derive(Debug, Deserialize, JsonSchema, Serialize)]
pub struct MemberView {
    /// Names the member in paths.
    pub member_id: String,
    /// The member.
    #[serde(flatten)]
    pub member: Member,
}

impl From<Member> for MemberView {
    fn from(member: Member) -> Self {
        Self { member_id: member.member_id(), member }
    }
}

/// A member to be added.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewMember {
    /// The issuer of their tokens.
    #[schemars(length(min = 1, max = 200))]
    issuer: String,
    /// Who they are in the issuer's words.
    #[schemars(length(min = 1, max = 200))]
    subject: String,
    /// What they may do.
    role: MemberRole,
    /// The only tenants they may see; all if not given.
    #[serde(default)]
    tenants: Option<BTreeSet<TenantId>>,
    /// When the membership ends; never if not given.
    #[serde(default)]
    #[schemars(with = "Option<Moment>")]
    until: Option<jiff::Timestamp>,
}

/// A change of a member.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MemberEdit {
    /// Another role.
    #[serde(default)]
    role: Option<MemberRole>,
    /// Other tenants; null: all.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "Option<BTreeSet<TenantId>>")]
    tenants: Option<Option<BTreeSet<TenantId>>>,
    /// Another end; null: none.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "Option<Moment>")]
    until: Option<Option<jiff::Timestamp>>,
}

#[derive(Deserialize)]
struct Place {
    member: String,
}

async fn list(
    State(api): State<Api>,
    here: Here,
    listing: Listing<NoFilter>,
) -> Result<Json<PageOf<MemberView>>, Problem> {
    let page = api.system().member_page(here.workspace, listing.after(), listing.limit).await?;
    Ok(Json(listing.page(page, MemberView::from)?))
}

async fn add(
    State(api): State<Api>,
    here: Here,
    Body(new): Body<NewMember>,
) -> Result<Response, Problem> {
    let person = Person { issuer: new.issuer, subject: new.subject };
    if api.system().member(here.workspace, &person).await?.is_some() {
        return Err(REFUSED
            .because(format!("`{}` is a member already", person.subject))
            .next("Change the member with PATCH instead."));
    }
    let change = MemberChange { role: new.role, tenants: new.tenants, until: new.until };
    let member =
        api.system().set_member(here.workspace, &here.actor, &person, change, None).await?;
    let view = MemberView::from(member);
    Ok(created(&format!("/v1/workspaces/{}/members/{}", here.workspace, view.member_id), &view))
}

async fn show(State(api): State<Api>, here: Here, At(at): At<Place>) -> Result<Response, Problem> {
    let stored = api.system().stored_member(here.workspace, &at.member).await?;
    Ok(view(stored))
}

fn view(stored: Stored<Member>) -> Response {
    tagged(StatusCode::OK, stored.revision, &MemberView::from(stored.row))
}

async fn edit(
    State(api): State<Api>,
    here: Here,
    At(at): At<Place>,
    Expect(expect): Expect,
    Body(edit): Body<MemberEdit>,
) -> Result<Response, Problem> {
    let before = api.system().stored_member(here.workspace, &at.member).await?;
    let change = MemberChange {
        role: edit.role.unwrap_or(before.row.role),
        tenants: edit.tenants.unwrap_or(before.row.tenants),
        until: edit.until.unwrap_or(before.row.until),
    };
    let person = Person { issuer: before.row.issuer, subject: before.row.subject };
    // What was not given comes from the row as it was read, so the change holds for that row only.
    let expect = Some(expect.unwrap_or(before.revision));
    api.system().set_member(here.workspace, &here.actor, &person, change, expect).await?;
    Ok(view(api.system().stored_member(here.workspace, &at.member).await?))
}

async fn remove(
    State(api): State<Api>,
    here: Here,
    At(at): At<Place>,
    Expect(expect): Expect,
) -> Result<StatusCode, Problem> {
    let before = api.system().stored_member(here.workspace, &at.member).await?.row;
    let person = Person { issuer: before.issuer, subject: before.subject };
    api.system().remove_member(here.workspace, &here.actor, &person, expect).await?;
    Ok(StatusCode::NO_CONTENT)
}
