using System.Text;
using Microsoft.AspNetCore.Http;

namespace ConntrackStream.Service.Api;

/// <summary>Answers that are one short JSON text.</summary>
internal static class JsonAnswer
{
    internal static Task AnswerJsonAsync(this HttpContext context, string json) => context.AnswerJsonAsync(Encoding.UTF8.GetBytes(json));

    internal static Task AnswerJsonAsync(this HttpContext context, byte[] json)
    {
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = json.Length;
        return context.Response.Body.WriteAsync(json, context.RequestAborted).AsTask();
    }
}
