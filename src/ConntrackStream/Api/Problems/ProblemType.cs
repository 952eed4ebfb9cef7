using Microsoft.AspNetCore.Http;

namespace ConntrackStream.Service.Api.Problems;

/// <summary>
/// Kinds of errors, as RFC 9457 has them. Programs go by <see cref="Uri"/>, which stays what it is; titles and details are for people.
/// docs/api.md lists them.
/// </summary>
internal sealed record ProblemType(string Name, int Status, string Title)
{
    internal static readonly ProblemType
        BadFilter = new("bad-filter", StatusCodes.Status400BadRequest, "A parameter of the filter is wrong"),
        BadParameter = new("bad-parameter", StatusCodes.Status400BadRequest, "A parameter is wrong"),
        BadRequest = new("bad-request", StatusCodes.Status400BadRequest, "The request is no valid HTTP"),
        Unauthorized = new("unauthorized", StatusCodes.Status401Unauthorized, "The token is missing or wrong"),
        UnknownPath = new("unknown-path", StatusCodes.Status404NotFound, "There is nothing at this path"),
        NoSuchFlow = new("no-such-flow", StatusCodes.Status404NotFound, "There is no such flow"),
        NotConfigured = new("not-configured", StatusCodes.Status404NotFound, "The service was not set up for this"),
        WrongMethod = new("wrong-method", StatusCodes.Status405MethodNotAllowed, "This path has no such method"),
        StaleCursor = new("stale-cursor", StatusCodes.Status410Gone, "The cursor is of an earlier run of the service"),
        BodyNotAllowed = new("body-not-allowed", StatusCodes.Status413PayloadTooLarge, "No request has a body"),
        WrongHost = new("wrong-host", StatusCodes.Status421MisdirectedRequest, "The request is for another host"),
        Internal = new("internal", StatusCodes.Status500InternalServerError, "The service failed"),
        TooBusy = new("too-busy", StatusCodes.Status503ServiceUnavailable, "Too many answers are on their way"),
        KernelSilent = new("kernel-silent", StatusCodes.Status503ServiceUnavailable, "The kernel does not answer"),
        NotReady = new("not-ready", StatusCodes.Status503ServiceUnavailable, "The view is not proven equal to the kernel's table"),
        Unhealthy = new("unhealthy", StatusCodes.Status503ServiceUnavailable, "The pipeline does not turn");

    /// <summary>Relative, so it is the same on each listener.</summary>
    internal string Uri => $"/problems/{Name}";
}
