//! Who may call the API, and how often.

use super::Break::{Drop, Set};
use super::Rule;
use crate::template::{Resource, Template, list, refers, target};
use plumbline_api::Access;
use std::collections::BTreeSet;

pub(super) const RULES: &[Rule] = &[
    Rule {
        says: "every route wants a token of the issuer, with its scope, but those that are public in the API",
        faults: |template| {
            let public = public_routes();
            let open = template.of("AWS::ApiGatewayV2::Route").filter(|route| {
                let key = route.at("/RouteKey").as_str().unwrap_or_default();
                !public.contains(key) && !is_guarded(template, *route)
            });
            open.map(|route| format!("{} wants no token", route.name)).collect()
        },
        broken_by: &[
            Set("/DefaultRoute/Properties/AuthorizationType", r#""NONE""#),
            Drop("/DefaultRoute/Properties/AuthorizerId"),
            Drop("/DefaultRoute/Properties/AuthorizationScopes"),
            Set("/HealthRoute/Properties/RouteKey", r#""GET /v1/workspaces""#),
        ],
    },
    Rule {
        says: "the gateway has the public routes of the API, and one for all others",
        faults: |template| {
            let mut wanted = public_routes();
            wanted.insert("$default".to_owned());
            let found = template.of("AWS::ApiGatewayV2::Route");
            let found: BTreeSet<String> = found
                .filter_map(|route| Some(route.at("/RouteKey").as_str()?.to_owned()))
                .collect();
            wanted.symmetric_difference(&found).cloned().collect()
        },
        broken_by: &[
            Drop("/HealthRoute"),
            Set("/DefaultRoute/Properties/RouteKey", r#""ANY /v1/{proxy+}""#),
        ],
    },
    Rule {
        says: "tokens are checked against issuer and audience of the parameters",
        faults: |template| {
            let checked = |one: &Resource<'_>| {
                one.at("/AuthorizerType") == "JWT"
                    && one.at("/JwtConfiguration/Issuer")["Ref"] == "Issuer"
                    && refers(one.at("/JwtConfiguration/Audience")).contains("Audience")
                    && one.at("/IdentitySource/0") == "$request.header.Authorization"
            };
            let found = template.of("AWS::ApiGatewayV2::Authorizer").filter(|one| !checked(one));
            found.map(|one| one.name.to_owned()).collect()
        },
        broken_by: &[
            Set("/Authorizer/Properties/JwtConfiguration/Audience", "[]"),
            Set("/Authorizer/Properties/JwtConfiguration/Issuer", r#""https://issuer.test/""#),
            Set("/Authorizer/Properties/AuthorizerType", r#""REQUEST""#),
        ],
    },
    Rule {
        says: "requests are limited, and those without a token to less",
        faults: |template| template.of("AWS::ApiGatewayV2::Stage").flat_map(unlimited).collect(),
        broken_by: &[
            Drop("/Stage/Properties/DefaultRouteSettings"),
            Drop("/Stage/Properties/DefaultRouteSettings/ThrottlingBurstLimit"),
            Drop("/Stage/Properties/RouteSettings/GET ~1health"),
            Set("/Stage/Properties/RouteSettings/GET ~1openapi.json/ThrottlingRateLimit", "1000"),
        ],
    },
    Rule {
        says: "every route leads to the API's function, in the form that it reads",
        faults: |template| {
            let lost = template.of("AWS::ApiGatewayV2::Route").filter(|route| {
                target(template, route.at("/Target")).is_none_or(|integration| {
                    integration.at("/IntegrationType") != "AWS_PROXY"
                        || integration.at("/PayloadFormatVersion") != "2.0"
                        || !refers(integration.at("/IntegrationUri")).contains("ApiFunction")
                })
            });
            lost.map(|route| format!("{} leads nowhere", route.name)).collect()
        },
        broken_by: &[
            Set("/Integration/Properties/PayloadFormatVersion", r#""1.0""#),
            Drop("/ReferenceRoute/Properties/Target"),
            Set(
                "/Integration/Properties/IntegrationUri",
                r#"{"Fn::GetAtt":["CompareFunction","Arn"]}"#,
            ),
        ],
    },
    Rule {
        says: "no browser of another site may call the API",
        faults: |template| {
            let open = |api: &Resource<'_>| !api.at("/CorsConfiguration").is_null();
            template
                .of("AWS::ApiGatewayV2::Api")
                .filter(open)
                .map(|api| api.name.to_owned())
                .collect()
        },
        broken_by: &[Set("/HttpApi/Properties/CorsConfiguration", r#"{"AllowOrigins":["*"]}"#)],
    },
];

/// The routes that the API gives without a token, as the gateway names them.
fn public_routes() -> BTreeSet<String> {
    let public =
        plumbline_api::table::table().into_iter().filter(|route| route.access == Access::Public);
    public.map(|route| format!("{} {}", route.method, route.path)).collect()
}

fn is_guarded(template: &Template, route: Resource<'_>) -> bool {
    let authorizer = target(template, route.at("/AuthorizerId"));
    route.at("/AuthorizationType") == "JWT"
        && authorizer.is_some_and(|one| one.kind() == "AWS::ApiGatewayV2::Authorizer")
        && list(route.at("/AuthorizationScopes")).iter().any(|scope| scope["Ref"] == "Scope")
}

fn unlimited(stage: Resource<'_>) -> Vec<String> {
    let mut faults = Vec::new();
    for (limit, parameter) in
        [("ThrottlingRateLimit", "RequestRate"), ("ThrottlingBurstLimit", "RequestBurst")]
    {
        if stage.at("/DefaultRouteSettings")[limit]["Ref"] != parameter {
            faults.push(format!("{}: {limit}", stage.name));
        }
        for route in public_routes() {
            if stage.at("/RouteSettings")[&route][limit].as_u64().is_none_or(|most| most > 20) {
                faults.push(format!("{route}: {limit}"));
            }
        }
    }
    faults
}
