using System.Buffers.Binary;
using System.Runtime.InteropServices;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Sinks.MapCleaning.Ebpf;

/// <summary>Encodes and decodes the keys and values of one kind of map. Immutable; allocates nothing once made.</summary>
internal sealed class MapLayout
{
    private readonly MapKeyOffsets _key;
    private readonly MapValueFields _value;
    private readonly int[] _padding;
    private readonly bool[] _hasPorts = new bool[256];

    /// <exception cref="InvalidDataException">The file contradicts itself.</exception>
    internal MapLayout(MapLayoutFile file)
    {
        MapLayoutRules.Check(file);
        Name = file.Name;
        MapType = (BpfMapType)file.MapType;
        KeySize = file.KeySize;
        ValueSize = file.ValueSize;
        Family = MapLayoutRules.Family(file);
        _key = file.Key;
        _value = file.Value;
        _padding = MapLayoutRules.Padding(file);
        foreach (byte protocol in file.ProtocolsWithPorts)
            _hasPorts[protocol] = true;
    }

    internal string Name { get; }

    internal BpfMapType MapType { get; }

    internal int KeySize { get; }

    internal int ValueSize { get; }

    internal FlowFamily Family { get; }

    internal bool HasInterfaceIndex => _key.InterfaceIndex is not null;

    internal bool HasLastSeen => _value.LastSeen is not null;

    /// <summary>Writes a key as the agent writes it: padding zero, since the kernel compares keys as bytes.</summary>
    /// <param name="key">Of this layout's family; zone ignored, ports written for protocols that have them.</param>
    /// <param name="bytes"><see cref="KeySize"/> of them.</param>
    internal void Encode(in MapKey key, Span<byte> bytes)
    {
        if (key.Tuple.Family != Family)
            throw new ArgumentException($"a key of {key.Tuple.Family} for a map of layout {Name}", nameof(key));
        bytes.Clear();
        key.Tuple.Source.WriteTo(bytes[_key.Source..], Family);
        key.Tuple.Destination.WriteTo(bytes[_key.Destination..], Family);
        key.Owner.WriteTo(bytes[_key.Owner..], Family);
        bytes[_key.Protocol] = (byte)key.Tuple.Protocol;
        if (_hasPorts[(byte)key.Tuple.Protocol])
        {
            MemoryMarshal.Write(bytes[_key.SourcePort..], key.Tuple.SourcePort);
            MemoryMarshal.Write(bytes[_key.DestinationPort..], key.Tuple.DestinationPort);
        }

        if (_key.InterfaceIndex is int interfaceIndex)
            MemoryMarshal.Write(bytes[interfaceIndex..], key.InterfaceIndex);
    }

    /// <returns>False for a key that no agent can have written.</returns>
    internal bool TryDecode(ReadOnlySpan<byte> bytes, out MapKey key)
    {
        FlowTuple tuple = new()
        {
            Source = Address(bytes[_key.Source..]),
            Destination = Address(bytes[_key.Destination..]),
            SourcePort = MemoryMarshal.Read<ushort>(bytes[_key.SourcePort..]),
            DestinationPort = MemoryMarshal.Read<ushort>(bytes[_key.DestinationPort..]),
            Protocol = (IpProtocol)bytes[_key.Protocol],
            Family = Family,
        };
        key = new MapKey(
            tuple,
            Address(bytes[_key.Owner..]),
            _key.InterfaceIndex is int interfaceIndex ? MemoryMarshal.Read<uint>(bytes[interfaceIndex..]) : 0);
        return IsPaddingZero(bytes)
            && (key.Owner == tuple.Source || key.Owner == tuple.Destination)
            && (_hasPorts[(byte)tuple.Protocol] || (tuple.SourcePort | tuple.DestinationPort) == 0);
    }

    internal void Encode(in MapValue value, Span<byte> bytes)
    {
        Write(bytes, _value.State, value.State);
        if (_value.LastSeen is MapField lastSeen)
            Write(bytes, lastSeen, value.LastSeen);
    }

    internal MapValue DecodeValue(ReadOnlySpan<byte> bytes) =>
        new(Read(bytes, _value.State), _value.LastSeen is MapField lastSeen ? Read(bytes, lastSeen) : 0);

    private bool IsPaddingZero(ReadOnlySpan<byte> bytes)
    {
        int set = 0;
        foreach (int offset in _padding)
            set |= bytes[offset];
        return set == 0;
    }

    private IpAddress Address(ReadOnlySpan<byte> bytes) =>
        Family == FlowFamily.IPv4 ? IpAddress.FromIPv4(bytes) : IpAddress.FromIPv6(bytes);

    // x86-64 and arm64 are little-endian: an integer's low bytes are its first ones.
    private static ulong Read(ReadOnlySpan<byte> bytes, MapField field)
    {
        Span<byte> whole = stackalloc byte[sizeof(ulong)];
        whole.Clear();
        bytes.Slice(field.Offset, field.Size).CopyTo(whole);
        return BinaryPrimitives.ReadUInt64LittleEndian(whole);
    }

    private static void Write(Span<byte> bytes, MapField field, ulong value)
    {
        Span<byte> whole = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(whole, value);
        whole[..field.Size].CopyTo(bytes[field.Offset..]);
    }
}
