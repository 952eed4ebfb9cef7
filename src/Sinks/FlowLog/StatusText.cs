using System.Numerics;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>
/// The <c>status</c> field of records. The texts of the ten bits that change (EXPECTED to DYING) are made once for each combination that
/// occurs and kept, 1024 at most; the rarer bits behind them are appended. Not thread-safe.
/// </summary>
/// <param name="name">What stands before the list: <c>,"status":[</c>.</param>
internal sealed class StatusText(byte[] name)
{
    private const uint Kept = 0x3FF;

    private readonly byte[]?[] _texts = new byte[Kept + 1][];

    /// <summary>Appends, for instance, <c>,"status":["SEEN_REPLY","CONFIRMED"]</c>.</summary>
    internal void Write(ref Utf8Writer writer, FlowStatus status)
    {
        uint bits = (uint)(status & StatusNames.Named);
        writer.Literal(_texts[bits & Kept] ??= Make(bits & Kept));
        if ((bits & ~Kept) != 0)
            Names(ref writer, bits & ~Kept);
        writer.TrimEnd((byte)',');
        writer.Byte((byte)']');
    }

    private byte[] Make(uint bits)
    {
        Utf8Writer text = new(stackalloc byte[256]);
        text.Literal(name);
        Names(ref text, bits);
        return text.Written.ToArray();
    }

    private static void Names(ref Utf8Writer text, uint bits)
    {
        for (; bits != 0; bits &= bits - 1)
        {
            text.Literal(RecordNames.StatusBit(BitOperations.TrailingZeroCount(bits)));
            text.Byte((byte)',');
        }
    }
}
