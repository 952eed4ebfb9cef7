using System.Globalization;
using System.Net;
using ConntrackStream.EventTap;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Kernel.Tests.Kit;

namespace ConntrackStream.Kernel.Tests.Reclassify;

/// <summary>What the gateway's kernel tells of its flows, from the start on, in short words.</summary>
internal sealed class UplinkEvents : IAsyncDisposable
{
    private readonly TapHarness _harness;
    private int _read;

    private UplinkEvents(UplinkRig rig) => _harness = new TapHarness(new TapOptions { Namespace = rig.Network, Updates = true });

    internal static async Task<UplinkEvents> ListenAsync(UplinkRig rig)
    {
        UplinkEvents events = new(rig);
        await events._harness.StartAsync();
        return events;
    }

    /// <summary>TCP's and UDP's since the last call, as far as the kernel has queued them by now.</summary>
    internal async Task<IReadOnlyList<FlowEvent>> TakeAsync()
    {
        await _harness.DrainAsync();
        FlowEvent[] since = [.. _harness.Events.Skip(_read).Where(e => e.Flow.Original.Protocol is IpProtocol.Tcp or IpProtocol.Udp)];
        _read = _harness.Events.Count;
        return since;
    }

    /// <summary>
    /// The same, each as <see cref="Text"/>, without UPDATEs that nobody asked for: they come with time too, such as a UDP flow's to
    /// assured when it is 2 s old.
    /// </summary>
    internal async Task<string[]> TakeTextAsync() =>
        [.. (await TakeAsync()).Where(e => e.Type != FlowEventType.Update || e.PortId != 0).Select(e => Text(e))];

    /// <summary>The same without UPDATEs.</summary>
    /// <param name="awaited">
    /// How many are waited for: of a packet that leads to no answer, and of a link that goes down,
    /// nobody says when the kernel is done with it.
    /// </param>
    internal async Task<string[]> TakeNewAndDestroyAsync(int awaited = 0)
    {
        List<string> taken = [];
        await Eventually.TrueAsync(
            async () =>
            {
                taken.AddRange((await TakeAsync()).Where(e => e.Type != FlowEventType.Update).Select(e => Text(e)));
                return taken.Count >= awaited;
            },
            state: () => string.Join('\n', taken));
        return [.. taken];
    }

    /// <summary>
    /// Such as <c>NEW 40000&gt;443 uplink 1 mark 0x100 Established unreplied by request</c>: the ports of the original tuple, what the
    /// source becomes, and whose doing it was when it was a program's.
    /// </summary>
    private static string Text(in FlowEvent e)
    {
        FlowTuple reply = e.Flow.Reply;
        int uplink = UplinkRig.UplinkOf(new IPEndPoint(reply.Destination.ToIPAddress(reply.Family), 0));
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{e.Type.ToString().ToUpperInvariant()} {e.Flow.Original.SourcePort}>{e.Flow.Original.DestinationPort} "
            + $"{(uplink == 0 ? "untranslated" : $"uplink {uplink}")}"
            + $"{(e.Flow.Has(FlowFields.Mark) ? $" mark 0x{e.Flow.Mark:x}" : "")}"
            + $"{(e.Flow.Has(FlowFields.ProtocolState) ? $" {e.Flow.TcpState}" : "")}"
            + $"{(e.Flow.Status.HasFlag(FlowStatus.SeenReply) ? "" : " unreplied")}{(e.PortId == 0 ? "" : " by request")}");
    }

    public ValueTask DisposeAsync() => _harness.DisposeAsync();
}
