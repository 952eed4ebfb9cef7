using System.Globalization;
using System.Numerics;
using System.Text.Json;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.Text;

internal ref partial struct FlowRecord
{
    /// <summary>A text that needs no unescaping, as all that are compared or parsed further.</summary>
    private static bool TryText(ref Utf8JsonReader reader, ref ReadOnlySpan<byte> text)
    {
        text = reader.ValueSpan;
        return reader.TokenType == JsonTokenType.String && !reader.ValueIsEscaped;
    }

    private static bool TryNumber(ref Utf8JsonReader reader, ulong max, ref ulong? number)
    {
        if (reader.TokenType != JsonTokenType.Number || !reader.TryGetUInt64(out ulong value) || value > max)
            return false;
        number = value;
        return true;
    }

    private bool TryUInt32(ref Utf8JsonReader reader, ref uint field, FlowFields present)
    {
        if (reader.TokenType != JsonTokenType.Number || !reader.TryGetUInt32(out field))
            return false;
        _flow.Present |= present;
        return true;
    }

    private bool TryTime(ref Utf8JsonReader reader, ref long time, FlowFields present)
    {
        if (reader.TokenType != JsonTokenType.String || !reader.TryGetDateTimeOffset(out DateTimeOffset value)
            || !value.TryToUnixTimeNanoseconds(out long nanoseconds))
        {
            return false;
        }

        time = nanoseconds;
        _flow.Present |= present;
        return true;
    }

    private bool TryDirection(ref Utf8JsonReader reader)
    {
        ReadOnlySpan<byte> name = default;
        if (!TryText(ref reader, ref name))
            return false;
        _isIngress = name.SequenceEqual(RecordNames.Of(FlowDirection.Ingress));
        return true;
    }

    private bool TryTcpState(ref Utf8JsonReader reader)
    {
        ReadOnlySpan<byte> name = default;
        if (!TryText(ref reader, ref name) || !StateNames.TryParse(IpProtocol.Tcp, name, out _flow.ProtocolState))
            return false;
        _flow.Present |= FlowFields.ProtocolState;
        return true;
    }

    private bool TryHelper(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.String)
            return false;
        Extras().Helper = reader.GetString();
        return true;
    }

    /// <summary>"0x…" of 128 bits.</summary>
    private bool TryLabels(ref Utf8JsonReader reader)
    {
        ReadOnlySpan<byte> text = default;
        if (!TryText(ref reader, ref text) || !text.StartsWith("0x"u8)
            || !UInt128.TryParse(text[2..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out UInt128 labels))
        {
            return false;
        }

        Extras().Labels = labels;
        Extras().HasLabels = true;
        return true;
    }

    /// <summary>Names that other versions may add are skipped.</summary>
    private bool TryStatus(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
            return false;
        while (reader.Read() && reader.TokenType == JsonTokenType.String)
        {
            for (uint bits = (uint)StatusNames.Named; bits != 0; bits &= bits - 1)
            {
                int bit = BitOperations.TrailingZeroCount(bits);
                if (reader.ValueTextEquals(RecordNames.StatusBit(bit)[1..^1])) // without its quotes
                    _flow.Status |= (FlowStatus)(1u << bit);
            }
        }

        _flow.Present |= FlowFields.Status;
        return reader.TokenType == JsonTokenType.EndArray;
    }

    private FlowExtras Extras() => _flow.Extras ??= extras();
}
