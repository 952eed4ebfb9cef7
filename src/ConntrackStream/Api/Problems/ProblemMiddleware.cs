using Microsoft.AspNetCore.Http;

namespace ConntrackStream.Service.Api.Problems;

/// <summary>Gives every error a body: what routing refuses without one, and what an endpoint throws before it has sent anything.</summary>
internal sealed class ProblemMiddleware(ILogger logger)
{
    internal async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        try
        {
            await next(context).ConfigureAwait(false);
        }
        catch (BadHttpRequestException e) when (!context.Response.HasStarted)
        {
            await context.RefuseAsync(ProblemType.BadRequest, e.Message).ConfigureAwait(false);
            return;
        }
#pragma warning disable CA1031 // the last boundary: a client gets an answer, the log the whole failure
        catch (Exception e) when (!context.Response.HasStarted && !context.RequestAborted.IsCancellationRequested)
#pragma warning restore CA1031
        {
            ProblemLog.RequestFailed(logger, context.Request.Path.Value ?? "", e);
            await context.RefuseAsync(
                ProblemType.Internal, $"{e.GetType().Name}: {e.Message}; the service's log has the rest").ConfigureAwait(false);
            return;
        }

        if (context.Response is { HasStarted: false, ContentType: null } bare)
            await RefuseBareAsync(context, bare.StatusCode).ConfigureAwait(false);
    }

    private static Task RefuseBareAsync(HttpContext context, int status) => status switch
    {
        StatusCodes.Status404NotFound => context.RefuseAsync(
            ProblemType.UnknownPath, $"{context.Request.Path}: no such path; /openapi.json has all there are"),
        StatusCodes.Status405MethodNotAllowed => context.RefuseAsync(
            ProblemType.WrongMethod, $"{context.Request.Method} {context.Request.Path}: every path has GET only"),
        _ => Task.CompletedTask,
    };
}
