//! Python face of Chainrule.
