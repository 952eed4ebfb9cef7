using System.Globalization;
using ConntrackStream.Pipeline.Configuration;
using ConntrackStream.Pipeline.Modules;
using ConntrackStream.Sinks.Fleet;
using NATS.Client.JetStream;
using NATS.Client.JetStream.Models;

namespace ConntrackStream.Sinks.Nats;

/// <summary>Lines of <c>doctor</c> about NATS: can it be reached, and does a stream take this host's records?</summary>
internal static class NatsChecks
{
    // In which the stream finds copies; a message may be sent again after half a minute and more.
    private static readonly TimeSpan LeastWindow = TimeSpan.FromMinutes(2);

    internal static async Task<IEnumerable<CheckResult>> RunAsync(
        NatsOptions options, string host, TimeProvider time, CancellationToken cancellation)
    {
        string?[] secrets = [options.CredentialsFile, options.PasswordFile, options.TokenFile, options.Tls.KeyFile];
        List<CheckResult> results = [.. FleetSecrets.Warnings("NATS", secrets)];
        try
        {
            NatsLink link = await NatsLink.OpenAsync(options, $"conntrack-stream doctor {host}", time, cancellation).ConfigureAwait(false);
            await using (link.ConfigureAwait(false))
                results.Add(await OfStreamAsync(link, HostSubject.Of(options.Subject, host), cancellation).ConfigureAwait(false));
        }
        catch (FleetFailureException e)
        {
            results.Add(CheckResult.Fail("NATS", e.Message, e.InnerException is ConfigurationException
                ? "correct the file, or the key that names it"
                : "start the server, or correct Nats:Servers and the credentials; meanwhile records gather in the spool"));
        }
        catch (Exception e) when (e is NatsJSException or NATS.Client.Core.NatsException)
        {
            results.Add(CheckResult.Fail("NATS", $"JetStream cannot be asked: {e.Message}", "see the server's log"));
        }

        return results;
    }

    private static async Task<CheckResult> OfStreamAsync(NatsLink link, string subject, CancellationToken cancellation)
    {
        List<string> streams = [];
        await foreach (string name in link.JetStream.ListStreamNamesAsync(subject, cancellation).ConfigureAwait(false))
            streams.Add(name);
        if (streams.Count == 0)
        {
            return CheckResult.Fail(
                "NATS", $"no stream of server {link.Server} takes {subject}", "make one: conntrack-stream collect --create-stream");
        }

        INatsJSStream stream = await link.JetStream.GetStreamAsync(streams[0], cancellationToken: cancellation).ConfigureAwait(false);
        StreamConfig config = stream.Info.Config;
        string finding = string.Create(CultureInfo.InvariantCulture, $"stream {streams[0]} of server {link.Server} takes {subject}");
        if (config.DuplicateWindow < LeastWindow)
        {
            return CheckResult.Warn(
                "NATS", $"{finding}; it finds copies within {config.DuplicateWindow.TotalSeconds:0} s only",
                "set the stream's duplicate window to 2 minutes or more");
        }

        if (config.Storage == StreamConfigStorage.Memory)
            return CheckResult.Warn("NATS", $"{finding}; it is in memory, and lost with the server", "make the stream with file storage");
        return CheckResult.Ok("NATS", finding);
    }
}
