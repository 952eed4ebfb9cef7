using System.Numerics;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Otlp.Wire;

namespace ConntrackStream.Sinks.Otlp.Records;

/// <summary>
/// Attributes whose values are few but known only when they come, each made once and kept: 1024 at most, since what is in them may come
/// from outside. Not thread-safe.
/// </summary>
internal sealed class MadeAttributes
{
    private const int Most = 1024;

    private readonly Dictionary<FlowStatus, byte[]> _statuses = [];
    private readonly Dictionary<(ulong Bit, string Value), byte[]> _texts = [];

    /// <summary>The names of a flow's status bits.</summary>
    internal byte[] Of(FlowStatus status)
    {
        if (_statuses.TryGetValue(status, out byte[]? known))
            return known;
        byte[] made = Make((uint)(status & StatusNames.Named));
        if (_statuses.Count < Most)
            _statuses.Add(status, made);
        return made;
    }

    /// <summary>Such as a helper's name.</summary>
    internal byte[] Of(ulong bit, string value)
    {
        if (_texts.TryGetValue((bit, value), out byte[]? known))
            return known;
        string shortened = value[..Math.Min(value.Length, 256)];
        byte[] made = AttributeBytes.Text(KnownAttributes.Field, OtlpFields.NameOf(bit), shortened);
        if (_texts.Count < Most)
            _texts.Add((bit, value), made);
        return made;
    }

    private static byte[] Make(uint bits)
    {
        List<byte[]> names = [];
        for (; bits != 0; bits &= bits - 1)
            names.Add(((FlowStatus)(1u << BitOperations.TrailingZeroCount(bits))).Utf8Name().ToArray());
        return AttributeBytes.Texts(KnownAttributes.Field, OtlpFields.NameOf(OtlpFields.Status), names);
    }
}
