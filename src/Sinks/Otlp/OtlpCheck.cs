using ConntrackStream.Pipeline.Files;
using ConntrackStream.Pipeline.Modules;
using ConntrackStream.Sinks.Otlp.Options;
using ConntrackStream.Sinks.Otlp.Records;
using ConntrackStream.Sinks.Otlp.Transport;
using ConntrackStream.Sinks.Otlp.Wire;

namespace ConntrackStream.Sinks.Otlp;

/// <summary>Lines of <c>doctor</c>: does the collector take requests? It gets one of each kind without records, which is valid.</summary>
internal static class OtlpCheck
{
    private const string Subject = "otlp";
    private const UnixFileMode ReadableByOthers = UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    internal static async Task<IEnumerable<CheckResult>> RunAsync(OtlpOptions options, TimeProvider time, CancellationToken stop)
    {
        List<CheckResult> results = [.. Secrets(options)];
        foreach (OtlpSignal signal in Signals(options))
        {
            using OtlpClient client = new(options, signal, time);
            ReadOnlyMemory<byte> request = client.Prepare(WithoutRecords(options));
            results.Add(Judge(signal, options, await client.SendAsync(request, stop).ConfigureAwait(false)));
        }

        return results;
    }

    /// <summary>A resource and a scope: some servers refuse a request of no bytes, though it is valid.</summary>
    private static Memory<byte> WithoutRecords(OtlpOptions options)
    {
        byte[] resource = ResourceBytes.OfResource(OtlpResource.Attributes(options, networkNamespace: null));
        return new RequestBuffer(0, resource, ResourceBytes.OfScope()).Complete();
    }

    private static CheckResult Judge(OtlpSignal signal, OtlpOptions options, ExportResult result) => result.Outcome switch
    {
        ExportOutcome.Accepted => CheckResult.Ok(Subject, $"{options.Endpoint} accepts {signal.Name}"),
        ExportOutcome.Refused => CheckResult.Fail(
            Subject, $"{options.Endpoint} refuses {signal.Name}: {result.Reason}", "correct Otlp:*, or the collector's configuration"),
        _ => CheckResult.Warn(
            Subject, $"{options.Endpoint} does not take {signal.Name} now: {result.Reason}", "start the collector, or correct Otlp:*"),
    };

    private static IEnumerable<OtlpSignal> Signals(OtlpOptions options)
    {
        if (options.Logs)
            yield return OtlpSignal.Logs;
        if (options.Metrics)
            yield return OtlpSignal.Metrics;
    }

    private static IEnumerable<CheckResult> Secrets(OtlpOptions options)
    {
        string?[] files = [options.TokenFile, options.HeadersFile, options.Tls.KeyFile];
        foreach (string file in files.OfType<string>())
        {
            if (FileStat.TryRead(file, out FileStat stat) && ((UnixFileMode)stat.Mode & ReadableByOthers) != UnixFileMode.None)
                yield return CheckResult.Warn(Subject, $"{file} can be read by other users", $"chmod 600 {file}");
        }

        bool hasSecret = options.TokenFile is not null || options.HeadersFile is not null;
        if (hasSecret && options.Endpoint.StartsWith("http://", StringComparison.Ordinal) && !new Uri(options.Endpoint).IsLoopback)
            yield return CheckResult.Warn(Subject, $"the token goes to {options.Endpoint} unencrypted", "use https://");
    }
}
