using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using ConntrackStream.Pipeline.Modules;

namespace ConntrackStream.Sinks.Syslog;

/// <summary>Lines of <c>doctor</c>: whether the server can be reached. Nothing is sent to it.</summary>
internal static class SyslogCheck
{
    private const string Subject = "syslog";

    internal static async Task<IEnumerable<CheckResult>> RunAsync(SyslogOptions options, TimeProvider time, CancellationToken stop)
    {
        if (!options.Enabled)
            return [];
        SyslogServer server = options.ParsedServer();
        using CancellationTokenSource patience = new(options.Timeout, time);
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, stop);
        try
        {
            using SyslogConnection connection = await SyslogConnector.OpenAsync(server, options.Tls, limit.Token).ConfigureAwait(false);
            return
            [
                CheckResult.Ok(Subject, server.Transport == SyslogTransport.Udp
                    ? $"records go to {server}; whether they arrive, UDP does not say"
                    : $"{server} accepts connections"),
            ];
        }
        catch (Exception e) when (e is SocketException or IOException or AuthenticationException or CryptographicException
            or UnauthorizedAccessException)
        {
            return [CheckResult.Fail(Subject, $"{server} cannot be reached: {e.Message}", "start it, or set Syslog:Server and Syslog:Tls")];
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return [CheckResult.Fail(Subject, $"{server} does not answer", "start it, set Syslog:Server, or raise Syslog:Timeout")];
        }
    }
}
