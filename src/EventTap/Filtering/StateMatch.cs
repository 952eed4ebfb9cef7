using System.Diagnostics.CodeAnalysis;
using System.Text;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.EventTap.Filtering;

/// <summary>A condition on a flow's state, as <c>conntrack --state</c>: one bit for each state that will do, by its number.</summary>
/// <param name="Tcp">Of TCP flows; none matches where it is 0.</param>
/// <param name="Sctp">Of SCTP flows.</param>
/// <param name="Dccp">Of DCCP flows.</param>
public readonly record struct StateMatch(ushort Tcp, ushort Sctp = 0, ushort Dccp = 0)
{
    private static readonly IpProtocol[] Protocols = [IpProtocol.Tcp, IpProtocol.Sctp, IpProtocol.Dccp];

    // LISTEN is the name that the number of SYN_SENT2 had before 2.6.30; SHUTDOWN_RECV is older conntrack's spelling.
    private static readonly (string Name, StateMatch States)[] OtherNames =
        [("LISTEN", TcpState.SynSent2), ("SHUTDOWN_RECV", new StateMatch(0, 1 << (int)SctpState.ShutdownReceived))];

    private static readonly string Names = string.Join(", ", Enumerable.Range(0, 16)
        .SelectMany(static state => Protocols.Select(protocol => Encoding.ASCII.GetString(StateNames.Of(protocol, (byte)state))))
        .Where(static name => name.Length > 0).Distinct(StringComparer.Ordinal));

    /// <summary>A state of TCP alone.</summary>
    public static implicit operator StateMatch(TcpState state) => new((ushort)(1 << (int)state));

    /// <summary>Whether the flow's state is known and one of these.</summary>
    public bool Matches(in Flow flow) => flow.Has(FlowFields.ProtocolState) && flow.ProtocolState < 16
        && (StatesOf(flow.Original.Protocol) & (1 << flow.ProtocolState)) != 0;

    private int StatesOf(IpProtocol protocol) => protocol switch
    {
        IpProtocol.Tcp => Tcp,
        IpProtocol.Sctp => Sctp,
        IpProtocol.Dccp => Dccp,
        _ => 0,
    };

    /// <summary>
    /// Reads names joined by commas, in any case, any of which will do. A name that several protocols have, such as ESTABLISHED, is that of
    /// each.
    /// </summary>
    public static bool TryParse(string? text, out StateMatch states, [NotNullWhen(false)] out string? error)
    {
        states = default;
        foreach (string name in (text ?? "").Split(',', StringSplitOptions.TrimEntries))
        {
            if (!TryGet(name, out StateMatch one))
            {
                error = $"'{name}' is not a state of TCP, SCTP or DCCP; allowed are {Names}";
                return false;
            }

            states = new((ushort)(states.Tcp | one.Tcp), (ushort)(states.Sctp | one.Sctp), (ushort)(states.Dccp | one.Dccp));
        }

        error = null;
        return true;
    }

    private static bool TryGet(string name, out StateMatch states)
    {
        states = Array.Find(OtherNames, other => other.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).States;
        if (states != default)
            return true;
        byte[] upper = Encoding.UTF8.GetBytes(name.ToUpperInvariant());
        states = new(Bit(IpProtocol.Tcp, upper), Bit(IpProtocol.Sctp, upper), Bit(IpProtocol.Dccp, upper));
        return states != default;
    }

    private static ushort Bit(IpProtocol protocol, ReadOnlySpan<byte> name) =>
        StateNames.TryParse(protocol, name, out byte state) ? (ushort)(1 << state) : (ushort)0;
}
