//! What is read out of a request.

use super::*;
use crate::request::segments;

/// `verb group/resource/subresource namespace name`, or `verb path`.
fn read(method: &str, path: &str) -> String {
    let uri: Uri = path.parse().unwrap();
    let segments = segments(&uri).unwrap();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let method = method.parse().unwrap();
    let query = Query::parse(&uri).unwrap();
    let Attributes { verb, what } = Attributes::of(&method, &uri, &segments, &query);
    match what {
        What::Path(path) => format!("{verb} {path}"),
        What::Resource {
            group,
            resource,
            subresource,
            namespace,
            name,
        } => format!("{verb} {group}/{resource}/{subresource} {namespace} {name}"),
    }
}

#[test]
fn a_request_is_for_a_resource_or_a_path() {
    let check = |method: &str, path: &str, expected: &str| {
        assert_eq!(read(method, path).trim_end(), expected, "{method} {path}");
    };
    check("GET", "/", "get /");
    check("GET", "/api/v1", "get /api/v1");
    check("POST", "/apis/a.b/v1", "post /apis/a.b/v1");
    check("GET", "/version/x/y/z", "get /version/x/y/z");
    check("GET", "/api/v1/pods", "list /pods/");
    check("HEAD", "/api/v1/pods", "list /pods/");
    check("GET", "/api/v1/pods?watch=1", "watch /pods/");
    check("GET", "/api/v1/pods?watch=false", "list /pods/");
    check("GET", "/api/v1/watch/pods", "watch /pods/");
    check(
        "GET",
        "/api/v1/watch/namespaces/n/pods/p",
        "watch /pods/ n p",
    );
    check("GET", "/api/v1/namespaces", "list /namespaces/");
    check("GET", "/api/v1/namespaces/n", "get /namespaces/ n n");
    check(
        "PUT",
        "/api/v1/namespaces/n/status",
        "update /namespaces/status n n",
    );
    check(
        "PUT",
        "/api/v1/namespaces/n/finalize",
        "update /namespaces/finalize n n",
    );
    check(
        "GET",
        "/api/v1/namespaces/n/pods/p/log",
        "get /pods/log n p",
    );
    check(
        "GET",
        "/apis/a.b/v1/namespaces/n/cs/c?watch=1",
        "get a.b/cs/ n c",
    );
    check("POST", "/apis/a.b/v1/cs", "create a.b/cs/");
    check("PATCH", "/apis/a.b/v1/cs/c", "patch a.b/cs/  c");
    check("DELETE", "/apis/a.b/v1/cs", "deletecollection a.b/cs/");
    check("DELETE", "/apis/a.b/v1/cs/c", "delete a.b/cs/  c");
    check("OPTIONS", "/api/v1/pods", " /pods/");
    check(
        "GET",
        "/api/v1/pods?fieldSelector=metadata.name%3Dp",
        "list /pods/  p",
    );
    check(
        "GET",
        "/api/v1/pods?fieldSelector=metadata.name!%3Dp",
        "list /pods/",
    );
    check(
        "DELETE",
        "/api/v1/pods?fieldSelector=metadata.name%3Dp",
        "deletecollection /pods/",
    );
}
