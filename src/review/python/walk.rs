//! From a syntax tree to scopes and the names in them, as they are written.

use super::{Kind, Module, Scope};
use tree_sitter::{Node, Parser, Tree, TreeCursor};

/// Nothing where the parser cannot even begin.
pub fn parse(text: &[u8]) -> Option<Tree> {
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_python::LANGUAGE.into()).ok()?;
    parser.parse(text, None)
}

/// How a node is looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Load,
    Store,
    /// An annotation: only what it calls counts.
    Annotation,
    /// An argument or an index: texts in it look something up.
    Lookup,
}

/// Fills `module`; a stack of our own, as a hostile file may nest as deep as it likes.
pub fn walk(module: &mut Module, tree: &Tree, text: &[u8]) {
    module.scopes.push(Scope::default());
    let root = tree.root_node();
    let mut walk = Walk { module, text, cursor: root.walk(), todo: vec![(root, 0, Mode::Load)] };
    if tree.root_node().has_error() {
        walk.module.troubles.push("a part of it does not parse".into());
    }
    while let Some((node, scope, mode)) = walk.todo.pop() {
        walk.visit(node, scope, mode);
    }
}

pub(super) struct Walk<'a, 't> {
    pub(super) module: &'a mut Module,
    text: &'t [u8],
    /// One for all, as a file has a hundred thousand nodes.
    cursor: TreeCursor<'t>,
    todo: Vec<(Node<'t>, usize, Mode)>,
}

impl<'t> Walk<'_, 't> {
    pub(super) fn text(&self, node: Node<'t>) -> &'t str {
        node.utf8_text(self.text).unwrap_or_default()
    }

    fn scope(&mut self, scope: usize) -> Option<&mut Scope> {
        self.module.scopes.get_mut(scope)
    }

    fn children(&mut self, node: Node<'t>, scope: usize, mode: Mode) {
        self.cursor.reset(node);
        let mut more = self.cursor.goto_first_child();
        while more {
            let child = self.cursor.node();
            if child.is_named() {
                self.todo.push((child, scope, mode));
            }
            more = self.cursor.goto_next_sibling();
        }
    }

    fn field(&mut self, node: Node<'t>, name: &str, scope: usize, mode: Mode) {
        self.todo.extend(node.child_by_field_name(name).map(|child| (child, scope, mode)));
    }

    fn visit(&mut self, node: Node<'t>, scope: usize, mode: Mode) {
        match node.kind() {
            "comment" | "global_statement" | "nonlocal_statement" => self.declared(node, scope),
            "function_definition" | "class_definition" => self.definition(node, scope),
            "lambda" => {
                self.defaults(node, scope);
                self.field(node, "body", scope, Mode::Load);
            }
            "import_statement" | "import_from_statement" | "future_import_statement" => self.import(node, scope),
            "assignment" | "augmented_assignment" => {
                self.field(node, "left", scope, Mode::Store);
                self.field(node, "type", scope, Mode::Annotation);
                self.field(node, "right", scope, Mode::Load);
            }
            "for_statement" | "for_in_clause" => {
                self.field(node, "left", scope, Mode::Store);
                self.field(node, "right", scope, Mode::Load);
                self.field(node, "body", scope, Mode::Load);
                self.field(node, "alternative", scope, Mode::Load);
            }
            "named_expression" => {
                self.field(node, "name", scope, Mode::Store);
                self.field(node, "value", scope, Mode::Load);
            }
            "delete_statement" | "as_pattern_target" => self.children(node, scope, Mode::Store),
            "keyword_argument" => self.field(node, "value", scope, mode),
            "type" => self.children(node, scope, Mode::Annotation),
            "exec_statement" => {
                self.count(scope, Use::Call, "exec".into());
                self.children(node, scope, Mode::Load);
            }
            "expression_statement" if node.named_child(0).is_some_and(|only| only.kind() == "string") => {
                // A docstring; what an f-string there would run is not one.
                self.todo.extend(node.named_child(0).map(|only| (only, scope, Mode::Annotation)));
            }
            "string" => self.string(node, scope, mode),
            "call" => self.call(node, scope, mode),
            "identifier" | "attribute" => self.name(node, scope, mode),
            "subscript" => {
                let inner = if mode == Mode::Annotation { mode } else { Mode::Load };
                self.field(node, "value", scope, inner);
                let mut cursor = node.walk();
                let index: Vec<_> = node.children_by_field_name("subscript", &mut cursor).collect();
                let inner = if mode == Mode::Annotation { mode } else { Mode::Lookup };
                self.todo.extend(index.into_iter().map(|index| (index, scope, inner)));
            }
            "binary_operator" | "comparison_operator" | "boolean_operator" | "conditional_expression"
                if mode == Mode::Store =>
            {
                self.children(node, scope, Mode::Load);
            }
            _ => self.children(node, scope, mode),
        }
    }

    /// `global x` makes a binding of `x` one of the module's.
    fn declared(&mut self, node: Node<'t>, scope: usize) {
        if node.kind() == "global_statement" {
            let mut cursor = node.walk();
            let names: Vec<_> = node.named_children(&mut cursor).map(|name| self.text(name).to_owned()).collect();
            for name in names {
                self.count(scope, Use::Store, format!("global {name}"));
            }
        }
    }

    fn definition(&mut self, node: Node<'t>, outer: usize) {
        let name = node.child_by_field_name("name").map(|name| self.text(name)).unwrap_or_default();
        self.odd(name);
        let prefix = self.scope(outer).map(|scope| scope.name.clone()).unwrap_or_default();
        let full = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") };
        let function = node.kind() == "function_definition";
        let mut scope = Scope { name: full, ..Scope::default() };
        scope.kind = if function { Kind::Function } else { Kind::Class };
        if function {
            scope.is_async = node.child(0).is_some_and(|first| first.kind() == "async");
            scope.parameters = self.defaults(node, outer);
            self.field(node, "return_type", outer, Mode::Annotation);
        } else if let Some(bases) = node.child_by_field_name("superclasses") {
            let mut cursor = bases.walk();
            let named: Vec<Node<'t>> = bases.named_children(&mut cursor).collect();
            scope.bases = named.into_iter().map(|base| self.chain(base)).collect();
            self.children(bases, outer, Mode::Load);
        }
        self.module.scopes.push(scope);
        let inner = self.module.scopes.len() - 1;
        self.field(node, "body", inner, Mode::Load);
    }

    /// The parameters of a function or lambda; their defaults belong to the scope around it.
    fn defaults(&mut self, node: Node<'t>, outer: usize) -> Vec<String> {
        let Some(list) = node.child_by_field_name("parameters") else { return Vec::new() };
        let mut cursor = list.walk();
        let parameters: Vec<Node<'t>> = list.named_children(&mut cursor).filter(|node| !node.is_extra()).collect();
        let mut names = Vec::new();
        for parameter in parameters {
            self.field(parameter, "value", outer, Mode::Load);
            self.field(parameter, "type", outer, Mode::Annotation);
            let named = parameter.child_by_field_name("name").or_else(|| match parameter.kind() {
                "typed_parameter" => parameter.named_child(0),
                _ => Some(parameter),
            });
            let name = named.map(|name| self.text(name)).unwrap_or_default();
            self.odd(name);
            let default = parameter.child_by_field_name("value").is_some();
            names.push(if default { format!("{name}=") } else { name.to_owned() });
        }
        names
    }

    fn import(&mut self, node: Node<'t>, scope: usize) {
        // `import a.b as c` is `import|a.b|c`, `from .a import b as c` is `from|.a|b|c`; read in
        // names.rs, once all of the file is known.
        let from = node.child_by_field_name("module_name").map(|module| self.text(module));
        let mut cursor = node.walk();
        let mut entries = Vec::new();
        for name in node.children_by_field_name("name", &mut cursor) {
            let (name, alias) = match name.kind() {
                "aliased_import" => (name.child_by_field_name("name"), name.child_by_field_name("alias")),
                _ => (Some(name), None),
            };
            let name = name.map(|name| self.text(name)).unwrap_or_default();
            let alias = alias.map(|alias| self.text(alias)).unwrap_or_default();
            self.odd(name);
            self.odd(alias);
            entries.push(match from {
                Some(from) => format!("from|{from}|{name}|{alias}"),
                None => format!("import|{name}|{alias}"),
            });
        }
        let mut cursor = node.walk();
        let star = node.named_children(&mut cursor).any(|child| child.kind() == "wildcard_import");
        if let (Some(from), true) = (from, star) {
            entries.push(format!("from|{from}|*|"));
        }
        for entry in entries {
            self.count(scope, Use::Store, entry);
        }
    }

    fn string(&mut self, node: Node<'t>, scope: usize, mode: Mode) {
        let mut cursor = node.walk();
        let parts: Vec<Node<'t>> = node.named_children(&mut cursor).collect();
        let mut whole = String::new();
        for part in parts {
            match part.kind() {
                "string_content" => whole += self.text(part),
                "interpolation" => self.children(part, scope, Mode::Load),
                _ => {}
            }
        }
        if mode == Mode::Annotation {
            return;
        }
        if whole.len() <= 200
            && let Some(scope) = self.scope(scope)
        {
            *scope.texts.entry(whole.clone()).or_default() += 1;
        }
        match mode {
            Mode::Lookup => self.module.lookups.insert(whole),
            Mode::Load | Mode::Store | Mode::Annotation => self.module.texts.insert(whole),
        };
    }

    fn call(&mut self, node: Node<'t>, scope: usize, mode: Mode) {
        if let Some(function) = node.child_by_field_name("function") {
            if matches!(function.kind(), "identifier" | "attribute") {
                let chain = self.chain(function);
                self.special(&chain, node, scope);
                // What it imports is on record by its name.
                if chain != "__import__" {
                    self.count(scope, Use::Call, chain);
                }
                self.base(function, scope);
            } else {
                self.todo.push((function, scope, Mode::Load));
            }
        }
        if let Some(arguments) = node.child_by_field_name("arguments") {
            let inner = if mode == Mode::Annotation { Mode::Load } else { Mode::Lookup };
            match arguments.kind() {
                "argument_list" => self.children(arguments, scope, inner),
                _ => self.todo.push((arguments, scope, Mode::Load)),
            }
        }
    }

    fn name(&mut self, node: Node<'t>, scope: usize, mode: Mode) {
        let chain = self.chain(node);
        match mode {
            Mode::Store => self.count(scope, Use::Store, chain),
            Mode::Load | Mode::Lookup => self.count(scope, Use::Value, chain),
            Mode::Annotation => {}
        }
        self.base(node, scope);
    }

    /// What an attribute is asked of, where that is more than names.
    fn base(&mut self, mut node: Node<'t>, scope: usize) {
        while node.kind() == "attribute" {
            let Some(object) = node.child_by_field_name("object") else { return };
            node = object;
        }
        if node.kind() != "identifier" {
            self.todo.push((node, scope, Mode::Load));
        }
    }

    /// `a.b.c`; what is not a name at its head is `?`.
    pub(super) fn chain(&mut self, mut node: Node<'t>) -> String {
        let mut parts = Vec::new();
        while node.kind() == "attribute" {
            parts.extend(node.child_by_field_name("attribute").map(|name| self.text(name)));
            let Some(object) = node.child_by_field_name("object") else { break };
            node = object;
        }
        parts.push(if node.kind() == "identifier" { self.text(node) } else { "?" });
        for part in &parts {
            self.odd(part);
        }
        parts.reverse();
        parts.join(".")
    }

    /// Python folds such names to plain ones: what reads as another name is the same one.
    fn odd(&mut self, name: &str) {
        if !name.is_ascii() {
            self.module.troubles.push(format!("the name `{name}` has letters that Python folds to others"));
        }
    }

    pub(super) fn count(&mut self, scope: usize, how: Use, name: String) {
        let Some(scope) = self.scope(scope) else { return };
        let uses = match how {
            Use::Call => &mut scope.calls,
            Use::Value => &mut scope.values,
            Use::Store if name.contains('.') && !name.contains('|') => &mut scope.sets,
            Use::Store => &mut scope.binds,
        };
        *uses.entry(name).or_default() += 1;
    }
}

#[derive(Clone, Copy)]
pub(super) enum Use {
    Call,
    Value,
    Store,
}
