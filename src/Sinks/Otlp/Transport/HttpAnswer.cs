using System.Globalization;
using System.Net;
using System.Net.Http.Headers;

namespace ConntrackStream.Sinks.Otlp.Transport;

/// <summary>What an answer over HTTP means: https://opentelemetry.io/docs/specs/otlp/#otlphttp-response.</summary>
internal static class HttpAnswer
{
    private const string ProtoBuf = "application/x-protobuf";

    internal static ExportResult Read(HttpResponseMessage response, ReadOnlySpan<byte> answer, DateTimeOffset now)
    {
        bool isMessage = response.Content.Headers.ContentType?.MediaType == ProtoBuf;
        if (response.IsSuccessStatusCode)
            return ExportResult.Accepted(isMessage ? answer : default);
        string status = string.Create(CultureInfo.InvariantCulture, $"HTTP status {(int)response.StatusCode}");
        string? text = isMessage ? Answers.Failure(answer).Message : Answers.Text(answer);
        string reason = text is null ? status : $"{status}: {text}";
        return response.StatusCode is HttpStatusCode.TooManyRequests or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable
            or HttpStatusCode.GatewayTimeout
            ? ExportResult.Retry(reason, After(response.Headers.RetryAfter, now))
            : ExportResult.Refused(reason);
    }

    private static TimeSpan? After(RetryConditionHeaderValue? header, DateTimeOffset now) => header switch
    {
        { Delta: { } delta } => delta,
        { Date: { } date } => date - now,
        _ => null,
    };
}
