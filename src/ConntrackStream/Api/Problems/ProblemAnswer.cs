using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace ConntrackStream.Service.Api.Problems;

/// <summary>Answers with an error: <c>application/problem+json</c> of RFC 9457.</summary>
internal static class ProblemAnswer
{
    internal const string ContentType = "application/problem+json";

    private const string RetrySeconds = "1";

    // Quotes as they are: people read this, and no page has it. Control characters are escaped all the same.
    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <param name="detail">What is wrong with this request, and what to do.</param>
    /// <param name="parameter">Of the query or the path; null where it is none.</param>
    internal static Task RefuseAsync(this HttpContext context, ProblemType type, string detail, string? parameter = null)
    {
        HttpResponse response = context.Response;
        response.StatusCode = type.Status;
        response.ContentType = ContentType;
        response.Headers.CacheControl = "no-store";
        if (type.Status == StatusCodes.Status503ServiceUnavailable)
            response.Headers.RetryAfter = RetrySeconds;
        if (type.Status == StatusCodes.Status401Unauthorized)
            response.Headers[HeaderNames.WWWAuthenticate] = "Bearer";
        ArrayBufferWriter<byte> body = new(512);
        using (Utf8JsonWriter json = new(body, Readable))
        {
            json.WriteStartObject();
            json.WriteString("type", type.Uri);
            json.WriteString("title", type.Title);
            json.WriteNumber("status", type.Status);
            json.WriteString("detail", detail);
            if (parameter is not null)
                json.WriteString("parameter", parameter);
            json.WriteEndObject();
        }

        body.Write("\n"u8);
        response.ContentLength = body.WrittenCount;
        return response.Body.WriteAsync(body.WrittenMemory, context.RequestAborted).AsTask();
    }
}
