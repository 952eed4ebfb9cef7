namespace ConntrackStream.EventTap.Conntrack;

/// <summary>
/// A condition that the kernel judges within a dump: the bits of <paramref name="Mask"/> are those of <paramref name="Value"/>. A value
/// with bits outside the mask matches nothing.
/// </summary>
public readonly record struct BitMatch(uint Value, uint Mask = uint.MaxValue);
