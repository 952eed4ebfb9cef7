using System.Text;
using ConntrackStream.Sinks.Otlp.Wire;

namespace ConntrackStream.Sinks.Otlp.Transport;

/// <summary>Reads what collectors answer. What is malformed says nothing.</summary>
internal static class Answers
{
    private const int MostText = 300; // of a message from outside, for a log

    /// <summary>What of a request was not taken, and why.</summary>
    internal static (long Rejected, string? Message) PartialSuccess(ReadOnlySpan<byte> answer)
    {
        const int partialSuccess = 1; // ExportLogsServiceResponse
        const int rejected = 1, errorMessage = 2; // ExportLogsPartialSuccess
        (long Rejected, string? Message) found = default;
        ProtoReader outer = new(answer);
        while (outer.Next())
        {
            if (outer.Field != partialSuccess)
                continue;
            ProtoReader inner = new(outer.Content);
            while (inner.Next())
            {
                if (inner.Field == rejected)
                    found.Rejected = (long)inner.Number;
                else if (inner.Field == errorMessage)
                    found.Message = Text(inner.Content);
            }
        }

        return outer.IsMalformed || found.Rejected < 0 ? default : found;
    }

    /// <summary>Why a request failed, and when to send it again; both may be unknown.</summary>
    /// <param name="status">google.rpc.Status</param>
    internal static (string? Message, TimeSpan? After) Failure(ReadOnlySpan<byte> status)
    {
        const int message = 2, details = 3; // google/rpc/status.proto
        (string? Message, TimeSpan? After) found = default;
        ProtoReader reader = new(status);
        while (reader.Next())
        {
            if (reader.Field == message)
                found.Message = Text(reader.Content);
            else if (reader.Field == details)
                found.After = RetryDelay(reader.Content) ?? found.After;
        }

        return reader.IsMalformed ? default : found;
    }

    /// <summary>A text from outside, shortened.</summary>
    internal static string? Text(ReadOnlySpan<byte> text)
    {
        string whole = Encoding.UTF8.GetString(text[..Math.Min(text.Length, MostText)]).Trim();
        return whole.Length == 0 ? null : whole;
    }

    private static TimeSpan? RetryDelay(ReadOnlySpan<byte> any)
    {
        const int typeUrl = 1, value = 2; // google/protobuf/any.proto
        const int retryDelay = 1; // RetryInfo, google/rpc/error_details.proto
        bool isRetryInfo = false;
        ReadOnlySpan<byte> content = default;
        ProtoReader reader = new(any);
        while (reader.Next())
        {
            if (reader.Field == typeUrl)
                isRetryInfo = reader.Content.EndsWith("/google.rpc.RetryInfo"u8);
            else if (reader.Field == value)
                content = reader.Content;
        }

        ProtoReader info = new(isRetryInfo ? content : default);
        while (info.Next())
        {
            if (info.Field == retryDelay)
                return Duration(info.Content);
        }

        return null;
    }

    /// <summary>google.protobuf.Duration; null for one that is negative, or longer than a year.</summary>
    private static TimeSpan? Duration(ReadOnlySpan<byte> duration)
    {
        const int seconds = 1, nanos = 2;
        const long year = 366 * 24 * 3600;
        (long Seconds, long Nanos) found = default;
        ProtoReader reader = new(duration);
        while (reader.Next())
        {
            if (reader.Field == seconds)
                found.Seconds = (long)reader.Number;
            else if (reader.Field == nanos)
                found.Nanos = (long)reader.Number;
        }

        return !reader.IsMalformed && found is { Seconds: >= 0 and <= year, Nanos: >= 0 and < 1_000_000_000 }
            ? TimeSpan.FromSeconds(found.Seconds) + TimeSpan.FromTicks(found.Nanos / TimeSpan.NanosecondsPerTick)
            : null;
    }
}
