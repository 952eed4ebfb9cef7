using ConntrackStream.Sinks.FlowLog;
using ConntrackStream.Sinks.Reclassify.Act;

namespace ConntrackStream.Service.Demo;

/// <summary>
/// The demo's second part: real flows begin on the wrong uplink, since what they are is known only later, and the service moves them. Left
/// out, with a line that says why, where <c>ip</c>, <c>nft</c> or what they need of the kernel is missing.
/// </summary>
internal sealed class UplinkDemo(FlowLogFormat format, TextWriter report, TimeProvider time)
{
    private const int Moves = 3; // TCP, UDP, untranslated UDP

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(2);

    /// <returns>False when anything else happened than should.</returns>
    /// <exception cref="IOException">A flow could not be made.</exception>
    internal async Task<bool> RunAsync(CancellationToken cancellationToken)
    {
        if (await TryMakeNetworkAsync(cancellationToken) is not { } network)
            return true;
        using (network)
        {
            DemoReclassifier reclassifier = new(network.Gateway.Namespace, format, time);
            await using (reclassifier)
            {
                await reclassifier.StartAsync(cancellationToken);
                UplinkResult result = await MoveAsync(network, reclassifier, cancellationToken);
                await reclassifier.StopAsync();
                result = result with { EventsLost = reclassifier.EventsLost };
                await report.WriteLineAsync(result.ToString());
                return result.IsRight;
            }
        }
    }

    private async Task<UplinkNetwork?> TryMakeNetworkAsync(CancellationToken cancellationToken)
    {
        try
        {
            await DemoTool.Ip.RequireAsync(cancellationToken);
            await DemoTool.Nft.RequireAsync(cancellationToken);
            return await UplinkNetwork.CreateAsync(cancellationToken);
        }
        catch (DemoToolException e)
        {
            await report.WriteLineAsync($"demo: two uplinks: left out: {e.Message}");
            return null;
        }
    }

    private async Task<UplinkResult> MoveAsync(UplinkNetwork network, DemoReclassifier reclassifier, CancellationToken cancellationToken)
    {
        using UplinkFlows flows = await UplinkFlows.BeginAsync(network, time, cancellationToken);
        (int tcpBefore, int udpBefore, _) = flows.Now;
        long start = time.GetTimestamp();
        await network.RecogniseAsync(cancellationToken);
        await flows.BeginBesideAsync(cancellationToken);
        TimeSpan? reset = null;
        while ((reset is null || flows.Now is not { Udp: 2, Routed: 2 }) && time.GetElapsedTime(start) < Patience)
        {
            if (reset is null && flows.DownloadIsReset())
                reset = time.GetElapsedTime(start);
            await flows.TalkAsync(cancellationToken);
            await Task.Delay(Glance, time, cancellationToken);
        }

        int reconnected = reset is null ? 0 : await flows.ReconnectAsync(cancellationToken);
        while (reclassifier.Counters.Of(ActionOutcome.Moved) < Moves && time.GetElapsedTime(start) < Patience)
        {
            await flows.TalkAsync(cancellationToken);
            await Task.Delay(Glance, time, cancellationToken);
        }

        (_, int udp, int routed) = flows.Now;
        return new UplinkResult
        {
            TcpBefore = tcpBefore,
            UdpBefore = udpBefore,
            Reset = reset,
            Reconnected = reconnected,
            Udp = udp,
            Routed = routed,
            RoutedSent = flows.RoutedSent,
            RoutedLost = flows.RoutedLost,
            LeftAlone = flows.OtherIsAsBefore,
            Resets = reclassifier.Counters.Resets,
            Deleted = reclassifier.Counters.Deleted,
            Remarked = reclassifier.Counters.Remarked,
            Moved = reclassifier.Counters.Of(ActionOutcome.Moved),
        };
    }
}
