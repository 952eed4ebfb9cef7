namespace ConntrackStream.Sinks.FlowLog;

/// <summary>
/// Which fields a record has. A writer's method takes it as a type parameter: with <see cref="AllFields"/> the compiler drops every
/// question, so that a log of whole records pays nothing for the choice.
/// </summary>
internal interface IFieldSet
{
    /// <param name="fields">Bits of the format's vocabulary; one of them is enough.</param>
    bool Has(ulong fields);
}

/// <summary>Every field.</summary>
internal readonly struct AllFields : IFieldSet
{
    public bool Has(ulong fields) => true;
}

/// <summary>
/// Chosen fields, as bits of the format's <see cref="FieldVocabulary"/>. Every record also has those that it cannot do without.
/// </summary>
public readonly record struct RecordFields(ulong Bits) : IFieldSet
{
    /// <summary>Whole records.</summary>
    public static RecordFields All { get; } = new(ulong.MaxValue);

    internal bool IsAll => Bits == ulong.MaxValue;

    /// <inheritdoc/>
    public bool Has(ulong fields) => (Bits & fields) != 0;
}
