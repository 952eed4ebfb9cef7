using System.Net;
using System.Net.Sockets;

namespace ConntrackStream.Service.Demo;

/// <summary>How a TCP flow of the demo ends.</summary>
internal enum DemoEnd
{
    Close, // FIN both ways
    Reset, // RST by the one who began
    StayOpen, // until the traffic is disposed
}

/// <summary>One flow the demo makes: who sends what to whom, as the sender sees it.</summary>
/// <param name="Protocol">TCP, UDP, ICMP or ICMPv6 (echo).</param>
/// <param name="From">Who begins.</param>
/// <param name="Source">Where it binds; for ICMP the port is the echo id.</param>
/// <param name="Dialled">Whom it addresses; for ICMP the port is unused.</param>
/// <param name="To">Who answers.</param>
/// <param name="Listener">Where that one is bound: not <paramref name="Dialled"/> when the destination is translated.</param>
/// <param name="RequestBytes">Payload from source to destination, in each round.</param>
/// <param name="ReplyBytes">Payload back, in each round (an echo returns the request).</param>
/// <param name="Rounds">Exchanges before it ends.</param>
/// <param name="End">How a TCP flow ends; others just stop.</param>
internal sealed record DemoFlow(
    ProtocolType Protocol, DemoHost From, IPEndPoint Source, IPEndPoint Dialled, DemoHost To, IPEndPoint Listener, int RequestBytes,
    int ReplyBytes, int Rounds,
    DemoEnd End)
{
    public override string ToString() => $"{Protocol} {From.Name} {Source} → {Dialled}";
}
