using System.Text;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Pipeline.LiveView;

/// <summary>
/// How many flows there are by protocol and state: the kernel's own state of TCP, SCTP and DCCP, and for all others what
/// <see cref="FlowStatus"/> shows of them. Protocols that conntrack has no name for are one: a sender chooses their numbers.
/// </summary>
public sealed class FlowStateCounts
{
    /// <summary>State of a flow of which only the NEW is known: no dump and no UPDATE has shown what became of it.</summary>
    public const string New = "NEW";

    private const int States = 16, NewState = 14, UnknownState = 15;

    private static readonly IpProtocol[] Protocols = Enum.GetValues<IpProtocol>();
    private static readonly byte[] Rows = RowsByNumber();
    private static readonly string[] Stateless = ["UNREPLIED", "REPLIED", "ASSURED"];

    private readonly long[] _counts = new long[(Protocols.Length + 1) * States];

    /// <summary>Every pair of the usual protocols, and of others those that have flows.</summary>
    /// <returns>Names as the flow log has them; <c>other</c> for a protocol without.</returns>
    public IEnumerable<(string Protocol, string State, long Flows)> Read()
    {
        for (int row = 0; row <= Protocols.Length; row++)
        {
            IpProtocol protocol = row < Protocols.Length ? Protocols[row] : (IpProtocol)byte.MaxValue;
            bool isUsual = protocol is IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.Icmp or IpProtocol.IcmpV6;
            for (int state = 0; state < States; state++)
            {
                long flows = _counts[(row * States) + state];
                if (NameOf(protocol, state) is { Length: > 0 } name && (isUsual || flows > 0))
                    yield return (row < Protocols.Length ? protocol.Name() : "other", name, flows);
            }
        }
    }

    /// <summary>One flow more.</summary>
    /// <param name="isNew">See <see cref="New"/>.</param>
    /// <param name="state">Of a protocol that has states.</param>
    public void Add(IpProtocol protocol, bool isNew, byte state, FlowStatus status)
    {
        int column = isNew ? NewState : HasStates(protocol) ? Math.Min(state, (byte)UnknownState) : ColumnOf(status);
        _counts[(Rows[(byte)protocol] * States) + column]++;
    }

    private static bool HasStates(IpProtocol protocol) => protocol is IpProtocol.Tcp or IpProtocol.Sctp or IpProtocol.Dccp;

    private static int ColumnOf(FlowStatus status) =>
        status.HasFlag(FlowStatus.Assured) ? 2 : status.HasFlag(FlowStatus.SeenReply) ? 1 : 0; // of Stateless

    /// <summary>Empty for a column that the protocol does not use.</summary>
    private static string NameOf(IpProtocol protocol, int state)
    {
        if (state == NewState)
            return New;
        if (HasStates(protocol))
            return state == UnknownState ? "UNKNOWN" : Encoding.ASCII.GetString(StateNames.Of(protocol, (byte)state));
        return state < Stateless.Length ? Stateless[state] : "";
    }

    private static byte[] RowsByNumber()
    {
        byte[] rows = new byte[256];
        Array.Fill(rows, (byte)Protocols.Length);
        for (int row = 0; row < Protocols.Length; row++)
            rows[(byte)Protocols[row]] = (byte)row;
        return rows;
    }
}
