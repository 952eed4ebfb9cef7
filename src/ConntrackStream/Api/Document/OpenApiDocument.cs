using Microsoft.AspNetCore.Http;

namespace ConntrackStream.Service.Api.Document;

/// <summary>docs/openapi.json, which is in the program as it is.</summary>
internal static class OpenApiDocument
{
    internal const string Resource = "openapi.json";

    internal static async Task AnswerAsync(HttpContext context)
    {
        using Stream document = typeof(OpenApiDocument).Assembly.GetManifestResourceStream(Resource)!;
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = document.Length;
        await document.CopyToAsync(context.Response.Body, context.RequestAborted).ConfigureAwait(false);
    }
}
