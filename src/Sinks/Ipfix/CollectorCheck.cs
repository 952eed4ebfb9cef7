using System.Net.Sockets;
using ConntrackStream.Pipeline.Modules;
using ConntrackStream.Sinks.Ipfix.Transport;

namespace ConntrackStream.Sinks.Ipfix;

/// <summary>A collector: can it be reached from here? It gets a connection without a message.</summary>
internal static class CollectorCheck
{
    internal static async Task<IEnumerable<CheckResult>> RunAsync(
        CollectorAddress address, IpfixOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        try
        {
            return [await TryAsync(address, options, time, cancellationToken).ConfigureAwait(false)];
        }
        catch (Exception e) when (e is CollectorException or SocketException)
        {
            return [CheckResult.Warn("ipfix", $"{address} cannot be reached: {e.Message}", "start the collector, or correct Ipfix:*")];
        }
    }

    private static async Task<CheckResult> TryAsync(
        CollectorAddress address, IpfixOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        CollectorConnector connector = new(address, options.Tls, options.Timeout, time);
        CollectorConnection connection = await connector.OpenAsync(cancellationToken).ConfigureAwait(false);
        await connection.DisposeAsync().ConfigureAwait(false);
        return connection.IsDatagram
            ? CheckResult.Ok("ipfix", $"datagrams go to {address}; whether it listens does not show")
            : CheckResult.Ok("ipfix", $"{address} accepts connections");
    }
}
