using System.Globalization;
using static ConntrackStream.Service.Demo.UplinkAddresses;

namespace ConntrackStream.Service.Demo;

/// <summary>What has become of the flows of the demo with two uplinks. Uplinks are 1 and 2, 0 for neither.</summary>
internal readonly record struct UplinkResult
{
    /// <summary>The TCP connection's and the UDP flow's at first.</summary>
    internal int TcpBefore { get; init; }

    /// <inheritdoc cref="TcpBefore"/>
    internal int UdpBefore { get; init; }

    /// <summary>Since the set gained the address; null when the client was not reset.</summary>
    internal TimeSpan? Reset { get; init; }

    /// <summary>The uplink of the connection that replaced it; 0 when there was none.</summary>
    internal int Reconnected { get; init; }

    /// <summary>The UDP flow's in the end.</summary>
    internal int Udp { get; init; }

    /// <summary>The routed flow's in the end, by its mark.</summary>
    internal int Routed { get; init; }

    internal int RoutedSent { get; init; }

    internal int RoutedLost { get; init; }

    /// <summary>The flow that nobody has an opinion on is as it was.</summary>
    internal bool LeftAlone { get; init; }

    internal long Resets { get; init; }

    internal long Deleted { get; init; }

    internal long Remarked { get; init; }

    /// <summary>Of those, the ones that the service saw on the right path afterwards.</summary>
    internal long Moved { get; init; }

    internal long EventsLost { get; init; }

    internal bool IsRight => this is
    {
        TcpBefore: 1, UdpBefore: 1, Reset: not null, Reconnected: 2, Udp: 2, Routed: 2, RoutedLost: 0, LeftAlone: true,
        Resets: 1, Deleted: 1, Remarked: 1, Moved: 3, EventsLost: 0,
    };

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"""
        demo: two uplinks: tcp download {ClientPrivate} -> {Server}:443 was on {Name(TcpBefore)}; the set {UplinkRules.Set} gained {Server}: {(Reset is { } reset
            ? $"client reset after {reset.TotalMilliseconds:0} ms" : "client NOT reset")}, {(Reconnected == 0 ? "NOT reconnected" : $"reconnected on {Name(Reconnected)}")}
        demo: two uplinks: udp was on {Name(UdpBefore)}: deleted, on {Name(Udp)} with its next packet; untranslated udp: re-marked, on {Name(Routed)}, {RoutedLost} of {RoutedSent} packets lost; {(LeftAlone
            ? "1 other flow left alone" : "1 other flow NOT left alone")}; {Moved} of {Resets + Deleted + Remarked} moves confirmed, {EventsLost} events lost
        """);

    private static string Name(int uplink) => uplink == 0 ? "NEITHER" : string.Create(CultureInfo.InvariantCulture, $"wan{uplink}");
}
