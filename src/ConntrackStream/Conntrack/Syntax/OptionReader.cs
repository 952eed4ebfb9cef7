namespace ConntrackStream.Service.Conntrack.Syntax;

/// <summary>
/// Reads a command line as getopt_long(3) of the GNU C library does, with all of its habits: options and operands in any order, short ones
/// bundled, long ones shortened, optional arguments only where they are attached, <c>--</c>. Whoever reads it may take operands itself by
/// moving <see cref="Index"/> on, as conntrack does.
/// </summary>
/// <param name="words">The command line, its first word being the program's name. Operands are moved to its end.</param>
/// <param name="letters">The short options; one colon after a letter: with an argument, two: with an attached one only.</param>
/// <param name="inOrder">POSIXLY_CORRECT: the first operand ends the options.</param>
internal sealed class OptionReader(string[] words, string letters, List<LongOption> longOptions, bool inOrder)
{
    internal const int End = -1, Missing = ':', Unknown = '?';

    private int _operandsFrom = 1, _operandsTo = 1; // operands that were passed over, not yet moved
    private int _at; // within the word of short options; 0 between words

    /// <summary>The next word (optind).</summary>
    internal int Index { get; set; } = 1;

    /// <summary>The option's argument (optarg).</summary>
    internal string? Value { get; private set; }

    /// <summary>The word that faults name: the one before <see cref="Index"/>.</summary>
    internal string LastWord => words[Index - 1];

    /// <summary>The next option's value, or <see cref="End"/>, <see cref="Missing"/>, <see cref="Unknown"/>.</summary>
    internal int Next()
    {
        Value = null;
        if (_at > 0)
            return NextLetter();
        PassOperands();
        if (Index == words.Length)
        {
            Index = _operandsFrom != _operandsTo ? _operandsFrom : Index;
            return End;
        }

        if (IsOperand(words[Index])) // in order
            return End;
        if (words[Index].StartsWith("--", StringComparison.Ordinal))
            return NextWord();
        _at = 1;
        return NextLetter();
    }

    /// <summary>The next word, if it is no option: conntrack takes it for an optional argument that is not attached.</summary>
    internal string? TakeOperand() =>
        Value is null && Index < words.Length && !words[Index].StartsWith('-') && !words[Index].StartsWith('!') ? words[Index++] : null;

    private static bool IsOperand(string word) => word.Length < 2 || word[0] != '-';

    private void PassOperands()
    {
        _operandsTo = Math.Min(_operandsTo, Index);
        _operandsFrom = Math.Min(_operandsFrom, Index);
        if (!inOrder)
        {
            MoveOperands();
            while (Index < words.Length && IsOperand(words[Index]))
                Index++;
            _operandsTo = Index;
        }

        if (Index == words.Length || words[Index] != "--")
            return;
        Index++;
        MoveOperands();
        _operandsTo = Index = words.Length;
    }

    /// <summary>Moves the options behind the operands before them.</summary>
    private void MoveOperands()
    {
        if (_operandsTo == Index)
            return;
        if (_operandsFrom == _operandsTo)
        {
            _operandsFrom = Index;
            return;
        }

        string[] operands = words[_operandsFrom.._operandsTo];
        int options = Index - _operandsTo;
        Array.Copy(words, _operandsTo, words, _operandsFrom, options);
        operands.CopyTo(words, _operandsFrom + options);
        _operandsFrom += options;
        _operandsTo = Index;
    }

    private int NextWord()
    {
        string word = words[Index++][2..];
        int equals = word.IndexOf('=', StringComparison.Ordinal);
        if (!TryFind(equals < 0 ? word : word[..equals], out LongOption option))
            return Unknown;
        if (equals >= 0)
        {
            if (option.Argument == Argument.None)
                return Unknown;
            Value = word[(equals + 1)..];
            return option.Value;
        }

        if (option.Argument != Argument.Required)
            return option.Value;
        if (Index == words.Length)
            return Missing;
        Value = words[Index++];
        return option.Value;
    }

    /// <summary>By its whole name, or by a beginning that only options of one meaning share.</summary>
    private bool TryFind(string name, out LongOption found)
    {
        int whole = longOptions.FindIndex(option => option.Name == name);
        found = whole >= 0 ? longOptions[whole] : default;
        if (whole >= 0)
            return true;
        foreach (LongOption option in longOptions)
        {
            if (!option.Name.StartsWith(name, StringComparison.Ordinal))
                continue;
            if (found.Name is not null && (found.Value != option.Value || found.Argument != option.Argument))
                return false;
            if (found.Name is null)
                found = option;
        }

        return found.Name is not null;
    }

    private int NextLetter()
    {
        string word = words[Index];
        char letter = word[_at++];
        bool isLast = _at == word.Length;
        if (isLast)
        {
            _at = 0;
            Index++;
        }

        int known = letter is ':' or ';' ? -1 : letters.IndexOf(letter, StringComparison.Ordinal);
        if (known < 0)
            return Unknown;
        int colons = letters.AsSpan(known + 1).StartsWith("::") ? 2 : letters.AsSpan(known + 1).StartsWith(":") ? 1 : 0;
        if (colons == 0)
            return letter;
        if (!isLast)
        {
            Value = word[_at..];
            _at = 0;
            Index++;
        }
        else if (colons == 1)
        {
            if (Index == words.Length)
                return Missing;
            Value = words[Index++];
        }

        return letter;
    }
}
