using System.Text.Json;

namespace ConntrackStream.Sinks.Text;

/// <summary>
/// The values of a nested record, one after another, with the names of the objects around each: <c>source</c>, <c>nat</c>, <c>ip</c>.
/// Objects that lie deeper are passed over. What is not taken by <see cref="Reader"/> must be skipped there.
/// </summary>
internal ref struct EcsLeaves
{
    internal Utf8JsonReader Reader;

    private int _depth;
    private bool _isDone;

    internal EcsLeaves(ReadOnlySpan<byte> line) => Reader = new Utf8JsonReader(line);

    /// <summary>Name of the object at the top, and of the one in it; empty where there is none.</summary>
    internal ReadOnlySpan<byte> Outer { get; private set; }

    /// <inheritdoc cref="Outer"/>
    internal ReadOnlySpan<byte> Inner { get; private set; }

    internal ReadOnlySpan<byte> Name { get; private set; }

    /// <summary>The line is one object, and nothing else.</summary>
    internal readonly bool IsWhole => _isDone;

    /// <summary>Is the value that of a field, such as <c>Is("source"u8, default, "ip"u8)</c>?</summary>
    internal readonly bool Is(ReadOnlySpan<byte> outer, ReadOnlySpan<byte> inner, ReadOnlySpan<byte> name) =>
        Name.SequenceEqual(name) && Outer.SequenceEqual(outer) && Inner.SequenceEqual(inner);

    /// <summary>Goes to the next value.</summary>
    /// <exception cref="JsonException">It is no JSON.</exception>
    internal bool Next()
    {
        while (!_isDone && Reader.Read())
        {
            if (Reader.TokenType == JsonTokenType.PropertyName)
            {
                if (EnterOrStay())
                    return true;
            }
            else if (Reader.TokenType == JsonTokenType.StartObject && _depth == 0)
            {
                _depth = 1;
            }
            else if (Reader.TokenType == JsonTokenType.EndObject)
            {
                Leave();
            }
            else
            {
                return false; // the line is no object
            }
        }

        return false;
    }

    private bool EnterOrStay()
    {
        ReadOnlySpan<byte> name = Reader.ValueSpan;
        Reader.Read();
        if (Reader.TokenType != JsonTokenType.StartObject)
        {
            Name = name;
            return true;
        }

        if (_depth > 2)
        {
            Reader.Skip();
            return false;
        }

        if (_depth == 1)
            Outer = name;
        else
            Inner = name;
        _depth++;
        return false;
    }

    private void Leave()
    {
        _depth--;
        if (_depth <= 2)
            Inner = default;
        if (_depth <= 1)
            Outer = default;
        _isDone = _depth == 0 && !Reader.Read();
    }
}
