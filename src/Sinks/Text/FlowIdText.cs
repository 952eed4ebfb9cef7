using System.Buffers.Binary;
using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Sinks.Text;

/// <summary>
/// Flow ids as UUIDs (36 bytes). It keeps the text of the half that tells the instance, which nearly all ids of a run share. Not
/// thread-safe.
/// </summary>
public sealed class FlowIdText
{
    private const int SecondHalf = 19; // where it begins: xxxx-xxxxxxxxxxxx

    private readonly byte[] _text = new byte[36];
    private ulong? _instance;

    /// <summary>Appends an id.</summary>
    public void Write(ref Utf8Writer writer, in FlowId id)
    {
        if (id.Instance != _instance)
            Cache(id);
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, id.SecondHalf);
        Span<byte> hex = stackalloc byte[2 * sizeof(ulong)];
        Convert.TryToHexStringLower(bytes, hex, out _);
        hex[..4].CopyTo(_text.AsSpan(SecondHalf));
        hex[4..].CopyTo(_text.AsSpan(SecondHalf + 5));
        writer.Literal(_text);
    }

    private void Cache(in FlowId id)
    {
        id.ToGuid().TryFormat(_text, out _);
        _instance = id.Instance;
    }
}
