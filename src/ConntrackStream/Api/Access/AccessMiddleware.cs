using ConntrackStream.Service.Api.Problems;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace ConntrackStream.Service.Api.Access;

/// <summary>Lets a request through, or refuses it, by what it came in by.</summary>
/// <param name="token">Of requests over TCP; null: none is needed.</param>
internal sealed class AccessMiddleware(ApiToken? token)
{
    private static readonly string[] MetricsPaths = ["/metrics", "/healthz", "/readyz"];

    internal Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        ListenerKind kind = context.Features.GetRequiredFeature<Listener>().Kind;
        if (kind == ListenerKind.Tcp && token is null && !HostNames.IsLocal(context.Request.Host))
        {
            return context.RefuseAsync(
                ProblemType.WrongHost,
                $"Host: '{context.Request.Host}' is not localhost or a loopback address; ask by one of these, or set Api:TokenFile");
        }

        if (kind == ListenerKind.Tcp && token?.IsIn(context.Request.Headers.Authorization) == false)
        {
            return context.RefuseAsync(
                ProblemType.Unauthorized, "over TCP each request needs Authorization: Bearer and the token in the service's Api:TokenFile");
        }

        if (kind == ListenerKind.Metrics && !MetricsPaths.Contains(context.Request.Path.Value, StringComparer.Ordinal))
        {
            return context.RefuseAsync(
                ProblemType.UnknownPath, $"{context.Request.Path}: this address serves {string.Join(", ", MetricsPaths)} only");
        }

        if (context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody != true)
            return next(context);
        context.Response.Headers.Connection = "close"; // what it has sent is not read
        return context.RefuseAsync(ProblemType.BodyNotAllowed, "send no body: what is asked is in the path and the query");
    }
}
