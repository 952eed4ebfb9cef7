using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using ConntrackStream.Sinks.Otlp.Records;

namespace ConntrackStream.Sinks.Otlp.Transport;

/// <summary>
/// What an answer over gRPC means: https://opentelemetry.io/docs/specs/otlp/#otlpgrpc-response, and its form:
/// https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md.
/// </summary>
internal static class GrpcAnswer
{
    /// <summary>google/rpc/code.proto; those that matter here.</summary>
    private const int Ok = 0, Cancelled = 1, DeadlineExceeded = 4, ResourceExhausted = 8, Aborted = 10, OutOfRange = 11, Unavailable = 14,
        DataLoss = 15;

    internal static ExportResult Read(HttpResponseMessage response, ReadOnlySpan<byte> answer)
    {
        if (response.StatusCode != HttpStatusCode.OK)
            return OfHttp(response.StatusCode);
        if (!int.TryParse(Header(response, "grpc-status"), NumberStyles.None, CultureInfo.InvariantCulture, out int status))
            return ExportResult.Refused("an answer without a gRPC status: the endpoint does not speak gRPC");
        if (status == Ok)
            return ExportResult.Accepted(Message(answer));
        (string? message, TimeSpan? after) = Answers.Failure(Details(response));
        message ??= Header(response, "grpc-message") is { } encoded ? Uri.UnescapeDataString(encoded) : null;
        string reason = string.Create(CultureInfo.InvariantCulture, $"gRPC status {status}{(message is null ? "" : $": {message}")}");
        bool mayRetry = status is Cancelled or DeadlineExceeded or Aborted or OutOfRange or Unavailable or DataLoss
            || (status == ResourceExhausted && after is not null);
        return mayRetry ? ExportResult.Retry(reason, after) : ExportResult.Refused(reason);
    }

    /// <summary>From something between here and the collector.</summary>
    private static ExportResult OfHttp(HttpStatusCode status)
    {
        string reason = string.Create(CultureInfo.InvariantCulture, $"HTTP status {(int)status}");
        return status is HttpStatusCode.TooManyRequests or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable
            or HttpStatusCode.GatewayTimeout
            ? ExportResult.Retry(reason)
            : ExportResult.Refused(reason);
    }

    /// <summary>The message in its frame; nothing for one that is compressed, which was not asked for.</summary>
    private static ReadOnlySpan<byte> Message(ReadOnlySpan<byte> answer)
    {
        if (answer.Length < RequestBuffer.FrameBytes || answer[0] != 0)
            return default;
        uint length = BinaryPrimitives.ReadUInt32BigEndian(answer[1..]);
        ReadOnlySpan<byte> rest = answer[RequestBuffer.FrameBytes..];
        return length <= rest.Length ? rest[..(int)length] : default;
    }

    private static byte[] Details(HttpResponseMessage response)
    {
        string text = (Header(response, "grpc-status-details-bin") ?? "").TrimEnd('=');
        byte[] details = new byte[text.Length];
        string padded = text.PadRight((text.Length + 3) / 4 * 4, '=');
        return Convert.TryFromBase64String(padded, details, out int length) ? details[..length] : [];
    }

    /// <summary>Of an answer without a message, the trailers are headers.</summary>
    private static string? Header(HttpResponseMessage response, string name) =>
        response.TrailingHeaders.TryGetValues(name, out IEnumerable<string>? values) || response.Headers.TryGetValues(name, out values)
            ? values.FirstOrDefault()
            : null;
}
