namespace ConntrackStream.Sinks.Ipfix.Wire;

/// <summary>A template record (RFC 7011, section 3.4.1), or an options template record (3.4.2) where it has scope fields.</summary>
internal sealed class Template
{
    /// <summary>Of the set that templates are in.</summary>
    internal const ushort SetId = 2;

    /// <summary>Of the set that options templates are in.</summary>
    internal const ushort OptionsSetId = 3;

    private readonly Field[] _fields;
    private readonly int _scopes;

    /// <param name="id">256 or more; the id of the sets of its records, too.</param>
    /// <param name="fields">In the order of the record.</param>
    /// <param name="scopes">How many of the first fields are the scope; 0: it is no options template.</param>
    internal Template(ushort id, Field[] fields, int scopes = 0)
    {
        (Id, _fields, _scopes) = (id, fields, scopes);
        RecordLength = fields.Sum(static field => field.Length);
        Length = (scopes == 0 ? 4 : 6) + fields.Sum(static field => field.SpecifierLength);
    }

    internal ushort Id { get; }

    internal ReadOnlySpan<Field> Fields => _fields;

    /// <summary>Id of the set it belongs in.</summary>
    internal ushort Set => _scopes == 0 ? SetId : OptionsSetId;

    /// <summary>Of a data record, in bytes.</summary>
    internal int RecordLength { get; }

    /// <summary>Of the template record, in bytes.</summary>
    internal int Length { get; }

    internal void Write(Span<byte> destination)
    {
        FieldWriter writer = new(destination);
        writer.U16(Id);
        writer.U16((ushort)_fields.Length);
        if (_scopes > 0)
            writer.U16((ushort)_scopes);
        foreach (Field field in _fields)
            field.Write(ref writer);
    }
}
