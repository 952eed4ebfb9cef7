using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.Text;

/// <summary>
/// The lines of conntrack-tools 1.4.7 with libnetfilter_conntrack 1.0.9: <c>conntrack -E</c> for events, <c>conntrack -L</c> for rows. A
/// field is printed exactly if the kernel's message carried it.
/// </summary>
public static partial class ConntrackText
{
    /// <summary>Bytes that hold any line but one with a security context of several kilobytes; most lines take less than 300.</summary>
    public const int MaxLineBytes = 8192;

    /// <summary>Writes one line, without a line feed.</summary>
    /// <returns>Bytes written; 0 if <paramref name="destination"/> is too small.</returns>
    public static int Write(Span<byte> destination, in FlowEvent e, ConntrackTextOptions options)
    {
        ref readonly Flow flow = ref e.Flow;
        Utf8Writer writer = new(destination);
        Prefix(ref writer, in e, options);
        Protocol(ref writer, in flow, options);
        Original(ref writer, in flow);
        Reply(ref writer, in flow);
        Marks(ref writer, in flow);
        Times(ref writer, in e, options);
        Rest(ref writer, in flow, options);
        writer.TrimEnd((byte)' '); // every field ends with one
        if (e.Type != FlowEventType.Row && e.PortId != 0)
            Cause(ref writer, e.PortId, options);
        return writer.Position;
    }

    private static void Protocol(ref Utf8Writer writer, in Flow flow, ConntrackTextOptions options)
    {
        if (options.Extended)
            Numbered(ref writer, ConntrackNames.Family(flow.Original.Family), (uint)flow.Original.Family);
        Numbered(ref writer, ConntrackNames.Protocol(flow.Original.Protocol), (uint)flow.Original.Protocol);
        if (flow.Has(FlowFields.Timeout))
        {
            writer.Number(flow.Timeout);
            writer.Byte((byte)' ');
        }

        if (flow.Has(FlowFields.ProtocolState) && ConntrackNames.State(flow.Original.Protocol, flow.ProtocolState) is { Length: > 0 } state)
        {
            writer.Literal(state);
            writer.Byte((byte)' ');
        }
    }

    private static void Marks(ref Utf8Writer writer, in Flow flow)
    {
        if (flow.Has(FlowFields.Status))
            Flag(ref writer, ConntrackNames.Shown(flow.Status).Utf8Name());

        if (flow.Has(FlowFields.Mark))
            Field(ref writer, "mark="u8, flow.Mark);
        if (flow.Extras?.SecurityContext is { } context)
            Field(ref writer, "secctx="u8, context);
        if (flow.Original.Zone != 0 && HasOneZone(in flow))
            Field(ref writer, "zone="u8, flow.Original.Zone);
    }

    private static void Rest(ref Utf8Writer writer, in Flow flow, ConntrackTextOptions options)
    {
        if (flow.Extras?.Helper is { } helper)
            Field(ref writer, "helper="u8, helper);
        if (flow.Has(FlowFields.Use))
            Field(ref writer, "use="u8, flow.Use);
        if (options.Id && flow.Has(FlowFields.Id))
            Field(ref writer, "id="u8, flow.Id);
        if (options.Labels is { } names && flow.Extras is { HasLabels: true } extras)
            Labels(ref writer, extras.Labels, names);
    }

    private static void Labels(ref Utf8Writer writer, UInt128 labels, ConntrackLabels names)
    {
        writer.Literal("labels="u8);
        byte last = (byte)'=';
        for (int bit = 0; labels != 0; bit++, labels >>= 1)
        {
            if ((labels & 1) == 0 || names.NameOf(bit) is not { } name)
                continue;
            writer.Text(PrintableText.Escape(name));
            writer.Byte(last = (byte)',');
        }

        writer.TrimEnd(last); // the library cuts the last byte: without a single name that is the '='
        writer.Byte((byte)' ');
    }

    /// <summary>Which program's request caused the event (nlmsg_pid).</summary>
    internal static void Cause(ref Utf8Writer writer, uint portId, ConntrackTextOptions options)
    {
        writer.Literal(" [USERSPACE] portid="u8);
        writer.Number(portId);
        if (options.ProgramName?.Invoke(portId) is not { } program)
            return;
        writer.Literal(" progname="u8);
        writer.Text(PrintableText.Escape(program));
    }

    private static void Flag(ref Utf8Writer writer, scoped ReadOnlySpan<byte> name)
    {
        if (name.IsEmpty)
            return;
        writer.Byte((byte)'[');
        writer.Literal(name);
        writer.Literal("] "u8);
    }

    /// <summary><c>%-8s %u</c></summary>
    private static void Numbered(ref Utf8Writer writer, scoped ReadOnlySpan<byte> name, uint number)
    {
        writer.Literal(name);
        writer.Literal("         "u8[name.Length..]);
        writer.Number(number);
        writer.Byte((byte)' ');
    }

    private static void Field(ref Utf8Writer writer, scoped ReadOnlySpan<byte> name, ulong value)
    {
        writer.Literal(name);
        writer.Number(value);
        writer.Byte((byte)' ');
    }

    private static void Field(ref Utf8Writer writer, scoped ReadOnlySpan<byte> name, string value)
    {
        writer.Literal(name);
        writer.Text(PrintableText.Escape(value));
        writer.Byte((byte)' ');
    }
}
